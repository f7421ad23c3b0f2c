/** This very program as processes of its own: the worker, and the command line. */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { DemoError } from './waiting.js';

export interface Programs {
  readonly startWorker: () => WorkerProcess;
  /** Runs one command to its end; rejects with what it printed unless it exits with 0. */
  readonly run: (args: readonly string[]) => Promise<void>;
}

export interface WorkerProcess {
  readonly isRunning: () => boolean;
  /** SIGTERM; resolves to the exit code, or to the name of the signal that ended it. */
  readonly stop: () => Promise<number | string>;
  /** SIGKILL, and resolves when it is gone. */
  readonly kill: () => Promise<void>;
}

interface Options {
  readonly environment: Readonly<Record<string, string>>;
  /** The worker's output is appended to it. */
  readonly logFile: string;
}

export function createPrograms({ environment, logFile }: Options): Programs {
  const main = process.argv[1];
  if (main === undefined) throw new DemoError('it is not known which program this is');
  const commandLine = [...process.execArgv, main];

  function startWorker(): WorkerProcess {
    const log = openSync(logFile, 'a');
    // In a process group of its own: Ctrl-C at the terminal is for the demo, which then stops its worker in order.
    const child = spawn(process.execPath, [...commandLine, 'worker'], {
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

  async function run(args: readonly string[]): Promise<void> {
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
  }

  return { startWorker, run };
}

const TAIL_LINES = 10;

/** What the worker last said. */
export async function tailOf(logFile: string): Promise<string> {
  const lines = (await readFile(logFile, 'utf8')).trimEnd().split('\n');
  return lines.slice(-TAIL_LINES).join('\n');
}
