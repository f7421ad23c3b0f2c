/** The built program as processes of its own: the service, and the command line. */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { fieldOf, parsed } from './answers.js';
import { DemoError } from '../wait-until.js';

export interface Programs {
  readonly start: (role: 'worker' | 'serve') => ServiceProcess;
  /** Runs one command to its end and resolves to what it printed; rejects with that unless it exits with 0. */
  readonly run: (args: readonly string[]) => Promise<string>;
}

export interface ServiceProcess {
  readonly isRunning: () => boolean;
  /** SIGTERM; resolves to the exit code, or to the name of the signal that ended it. */
  readonly stop: () => Promise<number | string>;
  /** SIGKILL, and resolves when it is gone. */
  readonly kill: () => Promise<void>;
}

interface Options {
  readonly environment: Readonly<Record<string, string>>;
  /** The service's output is appended to it. */
  readonly logFile: string;
}

const PROGRAM = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

export function createPrograms({ environment, logFile }: Options): Programs {
  const commandLine = [PROGRAM];

  function start(role: 'worker' | 'serve'): ServiceProcess {
    const log = openSync(logFile, 'a');
    // In a process group of its own: Ctrl-C at the terminal is for the demo, which then stops its service in order.
    const child = spawn(process.execPath, [...commandLine, role], {
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
      child.once('exit', (code, signal) => settle(code ?? signal ?? 'an unknown end'));
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
    const child = spawn(process.execPath, [...commandLine, ...args], {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = new Promise<number | string>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve(code ?? signal ?? 'an unknown end'));
    });
    const [ending, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
    if (ending !== 0) throw new DemoError(`"runtime-cleanup ${args[0]}" ended with ${ending}:\n${stdout}${stderr}`);
    return stdout;
  }

  return { start, run };
}

const TAIL_LINES = 10;

/** What the service last said. */
export async function tailOf(logFile: string): Promise<string> {
  const lines = (await readFile(logFile, 'utf8')).trimEnd().split('\n');
  return lines.slice(-TAIL_LINES).join('\n');
}

/** The port that the service says it listens on, once it says so. */
export async function listeningPort(logFile: string): Promise<number | undefined> {
  const lines = (await readFile(logFile, 'utf8')).split('\n').filter((line) => /"listening".*\}$/.test(line));
  const port = lines.map((line) => fieldOf(parsed(line, 'a line of the log'), 'port')).at(-1);
  return typeof port === 'number' ? port : undefined;
}
