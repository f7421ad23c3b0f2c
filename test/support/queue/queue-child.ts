/** Worker processes that a test can kill. */
import { type ChildProcess, spawn } from 'node:child_process';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createGate } from '../changes.js';
import type { QueueSpace } from './queue-stores.js';

interface QueueChild {
  readonly child: ChildProcess;
  /** Resolves when the process takes jobs. */
  readonly started: Promise<void>;
  /** What the process prints when its first job runs. */
  readonly firstLine: Promise<string>;
}

const SCRIPTS = {
  cleanup: new URL('./queue-crash-child.ts', import.meta.url),
  sweep: new URL('./sweep-crash-child.ts', import.meta.url),
};

/** Starts a worker process on the space; its first job runs until the process is killed. */
export function startChild({ env }: QueueSpace, worker: keyof typeof SCRIPTS): QueueChild {
  const child = spawn(process.execPath, ['--import', 'tsx', fileURLToPath(SCRIPTS[worker])], {
    env: { ...process.env, REDIS_URL: undefined, DATABASE_URL: undefined, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [started, firstLine] = [createGate(), createGate<string>()];
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line === 'started') started.open();
    else firstLine.open(line);
  });
  return { child, started: started.opened, firstLine: firstLine.opened };
}
