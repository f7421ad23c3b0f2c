/** Runs the built program as separate processes: the service, and the command line. */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { fieldOf, parseJson } from './answers.js';
import { DemoError } from '../errors.js';

export interface Programs {
  readonly start: (role: 'worker' | 'serve') => ServiceProcess;
  /** Runs one command to its end and resolves to its standard output; rejects with all its output unless it exits with 0. */
  readonly run: (args: readonly string[]) => Promise<string>;
}

export interface ServiceProcess {
  readonly isRunning: () => boolean;
  /** Sends SIGTERM; resolves to the exit code, or to the name of the signal that ended it. */
  readonly stop: () => Promise<number | string>;
  /** Sends SIGKILL; resolves when the process has ended. */
  readonly kill: () => Promise<void>;
}

interface Options {
  readonly environment: Readonly<Record<string, string>>;
  /** The service's output is appended to it. */
  readonly logFile: string;
}

const PROGRAM = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

/** A command of the built program as it can be typed in the project's folder. */
export const shownCommand = (args: string): string => `node dist/main.js ${args}`;

/** @throws DemoError when the program has not been built */
export function requireBuild(): void {
  if (!existsSync(PROGRAM)) throw new DemoError('dist/main.js does not exist; run "npm run build" first');
}

export function createPrograms({ environment, logFile }: Options): Programs {
  function start(role: 'worker' | 'serve'): ServiceProcess {
    const log = openSync(logFile, 'a');
    // In a process group of its own: Ctrl-C at the terminal reaches only the demo, which then stops the service in order.
    const child = spawn(process.execPath, [PROGRAM, role], {
      env: environment,
      stdio: ['ignore', log, log],
      detached: true,
    });
    closeSync(log);
    const killNow = (): void => void child.kill('SIGKILL');
    process.once('exit', killNow);
    let running = true;
    const ended = new Promise<number | string>((resolve) => {
      const settle = (ending: number | string): void => {
        running = false;
        process.off('exit', killNow);
        resolve(ending);
      };
      child.once('error', ({ message }) => settle(message));
      child.once('exit', (code, signal) => settle(code ?? signal ?? 'an unknown reason'));
    });
    return {
      isRunning: () => running,
      stop: () => {
        if (running) child.kill('SIGTERM');
        return ended;
      },
      kill: async () => {
        if (running) child.kill('SIGKILL');
        await ended;
      },
    };
  }

  async function run(args: readonly string[]): Promise<string> {
    const child = spawn(process.execPath, [PROGRAM, ...args], {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = new Promise<number | string>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve(code ?? signal ?? 'an unknown reason'));
    });
    const [ending, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
    if (ending !== 0)
      throw new DemoError(`"${shownCommand(args.join(' '))}" ended with ${ending}:\n${stdout}${stderr}`);
    return stdout;
  }

  return { start, run };
}

const TAIL_LINES = 10;

/** The last lines of the service's log. */
export async function tailOf(logFile: string): Promise<string> {
  const lines = (await readFile(logFile, 'utf8')).trimEnd().split('\n');
  return lines.slice(-TAIL_LINES).join('\n');
}

/** The port that the service listens on, by its log; undefined until it listens. */
export async function listeningPort(logFile: string): Promise<number | undefined> {
  const lines = (await readFile(logFile, 'utf8')).split('\n').filter((line) => /"listening".*\}$/.test(line));
  const port = lines.map((line) => fieldOf(parseJson(line, 'a line of the log'), 'port')).at(-1);
  return typeof port === 'number' ? port : undefined;
}
