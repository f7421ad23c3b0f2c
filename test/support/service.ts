import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createChanges, type Until } from './changes.js';

// For a message that never comes. On a busy machine a process takes half a minute to start.
const LOGGED_WITHIN_MS = 90_000;

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

interface LogLine {
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface Service {
  readonly process: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** The log lines so far. */
  readonly lines: () => readonly LogLine[];
  /** Resolves to the first log line with this message, now or later; rejects when the process ends without it. */
  readonly logged: (message: string, withinMs?: number) => Promise<LogLine>;
  /** The assertion is checked at each output of the process. */
  readonly until: Until;
  readonly signal: (signal: NodeJS.Signals) => void;
  /** Resolves to the exit code once the process is gone; null when a signal killed it. */
  readonly exit: Promise<number | null>;
  /** SIGKILL, unless it is gone. */
  readonly kill: () => Promise<void>;
}

/**
 * Kills the service when this process ends in any way, also by a signal that runs no exit handler: `read` returns then.
 * Returns what ends that watch, for a service that has ended by itself.
 */
function killWithThisProcess(pid: number): () => void {
  const watch = spawn('sh', ['-c', 'read -r _; kill -KILL "$1" 2>/dev/null', 'sh', String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  watch.unref();
  return () => void watch.kill('SIGKILL');
}

/** Runs the built command line (or another build of it) as a user would, with no environment but this one. */
export function startService(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  program: string = MAIN,
): Service {
  const child = spawn(process.execPath, [program, ...args], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    // Ctrl-C at the terminal must reach the test run only, which then stops its services itself.
    detached: true,
  });
  if (child.pid !== undefined) child.once('exit', killWithThisProcess(child.pid));
  let stdout = '';
  let stderr = '';
  const output = createChanges();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    output.notify();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    output.notify();
  });
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
  const lines = (): LogLine[] =>
    stdout
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line) as LogLine);
  return {
    process: child,
    stdout: () => stdout,
    stderr: () => stderr,
    lines,
    logged: (message, withinMs = LOGGED_WITHIN_MS) => {
      const find = (): LogLine => {
        const line = lines().find(({ msg }) => msg === message);
        if (line === undefined) throw new Error(`no log line "${message}" in:\n${stdout}${stderr}`);
        return line;
      };
      // A process that has ended logs nothing more.
      return Promise.race([output.until(find, { withinMs }), exit.then(find)]);
    },
    until: output.until,
    signal: (signal) => void child.kill(signal),
    exit,
    kill: async () => {
      child.kill('SIGKILL');
      await exit;
    },
  };
}
