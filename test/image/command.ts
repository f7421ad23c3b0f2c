import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly elapsedMs: number;
}

export interface RunOptions {
  readonly environment: NodeJS.ProcessEnv;
  readonly folder: string;
  /** For its stdin. */
  readonly input?: string | Buffer;
}

/** Runs a program until it ends. An end by a signal counts as exit code -1. */
export async function run(
  command: string,
  args: readonly string[],
  { environment, folder, input = '' }: RunOptions,
): Promise<Ran> {
  const startedMs = performance.now();
  const child = spawn(command, args, { cwd: folder, env: environment, stdio: 'pipe' });
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? -1));
  });
  // It may end without having read all.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const [exitCode, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  return { exitCode, stdout, stderr, elapsedMs: performance.now() - startedMs };
}

/** The same for one that has to succeed: rejects with what it printed if it does not. */
export async function runWell(command: string, args: readonly string[], options: RunOptions): Promise<Ran> {
  const ran = await run(command, args, options);
  if (ran.exitCode === 0) return ran;
  throw new Error(`"${command} ${args.join(' ')}" ended with ${ran.exitCode}:\n${ran.stdout}${ran.stderr}`);
}
