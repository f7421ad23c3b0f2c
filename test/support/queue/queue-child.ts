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

export function startChild({ env }: QueueSpace, script: 'queue-crash-child' | 'sweep-crash-child'): QueueChild {
  const path = fileURLToPath(new URL(`${script}.ts`, import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', path], {
    env: { ...process.env, REDIS_URL: undefined, DATABASE_URL: undefined, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return { child, firstLine: once(createInterface({ input: child.stdout }), 'line').then(([line]) => String(line)) };
}
