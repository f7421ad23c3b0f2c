/** Worker processes that a test can kill. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { QueueSpace } from './queue-stores.js';

interface QueueChild {
  readonly child: ChildProcess;
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
  return { child, firstLine: once(createInterface({ input: child.stdout }), 'line').then(([line]) => String(line)) };
}
