import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import {
  startEmbeddedPostgres,
  type EmbeddedPostgres,
} from '../../../../src/adapters/postgres/embedded/embedded-postgres.js';
import { systemClock, type Clock } from '../../../../src/async/clock.js';

const USER_PROGRAM = fileURLToPath(new URL('embedded-user.ts', import.meta.url));

/** A data folder for embedded servers, and what its tests do to them. */
export interface EmbeddedWorld {
  readonly folder: string;
  readonly dataDir: string;
  readonly pgData: string;
  readonly pidFile: string;
  /** What our servers logged since the last `tidy`. */
  readonly logged: string[];
  readonly start: (over?: { readonly dataDir?: string; readonly clock?: Clock }) => Promise<EmbeddedPostgres>;
  /** Another process that uses the server; `inOwnGroup`: as if started from a terminal of its own. */
  readonly startUser: (over?: { readonly inOwnGroup?: boolean }) => Promise<EmbeddedUser>;
  /** The process that the server's own note names. */
  readonly serverPid: () => Promise<number>;
  /** Stops and kills what a test left. */
  readonly tidy: () => Promise<void>;
  readonly remove: () => Promise<void>;
}

interface EmbeddedUser {
  readonly url: string;
  readonly listenersAdded: number;
  readonly pid: number;
  readonly tell: (word: 'stop' | 'forget') => void;
  readonly exitCode: () => Promise<unknown>;
  /** Sends a signal to it, or to its whole group, and waits for its end. */
  readonly kill: (signal: NodeJS.Signals, target?: 'itself' | 'its group') => Promise<void>;
}

/** The first column of the first row; opens a connection of its own. */
export async function query(url: string, sql: string): Promise<unknown> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000, query_timeout: 5_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<unknown[]>({ text: sql, rowMode: 'array' });
    return rows[0]?.[0];
  } finally {
    await client.end();
  }
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

export function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

/** With one table, `kept`, that has one row, the word `first`. */
export async function createEmbeddedWorld(): Promise<EmbeddedWorld> {
  const folder = await mkdtemp(path.join(tmpdir(), 'embedded-'));
  // As root the server runs as another user, who must be able to get here.
  await chmod(folder, 0o755);
  const dataDir = path.join(folder, 'data');
  const pgData = path.join(dataDir, 'postgres');
  const pidFile = path.join(pgData, 'postmaster.pid');
  const logged: string[] = [];
  const servers: EmbeddedPostgres[] = [];
  const users: ChildProcess[] = [];

  const start: EmbeddedWorld['start'] = async (over = {}) => {
    const server = await startEmbeddedPostgres({
      dataDir,
      clock: systemClock,
      log: (line) => logged.push(line),
      ...over,
    });
    servers.push(server);
    return server;
  };
  const tidy = async (): Promise<void> => {
    for (const user of users.splice(0)) if (user.exitCode === null) user.kill('SIGKILL');
    await Promise.all(servers.splice(0).map((server) => server.stop()));
    logged.length = 0;
  };

  const first = await start();
  await query(first.url, 'CREATE TABLE kept (word text)');
  await query(first.url, `INSERT INTO kept VALUES ('first')`);
  await first.stop();
  return {
    folder,
    dataDir,
    pgData,
    pidFile,
    logged,
    start,
    startUser: async ({ inOwnGroup = false } = {}) => {
      const child = spawn(process.execPath, ['--import', 'tsx', USER_PROGRAM, dataDir], {
        detached: inOwnGroup,
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      users.push(child);
      return meet(child);
    },
    serverPid: async () => Number((await readFile(pidFile, 'utf8')).split('\n')[0]),
    tidy,
    remove: async () => {
      await tidy();
      await rm(folder, { recursive: true });
    },
  };
}

async function meet(child: ChildProcess): Promise<EmbeddedUser> {
  const { pid, stdin, stdout } = child;
  if (pid === undefined || stdin === null || stdout === null) throw new Error('the user was not started');
  const exited: Promise<unknown> = once(child, 'exit').then(([code]: unknown[]) => code);
  const greeting = once(createInterface({ input: stdout }), 'line').then(([line]) => String(line));
  const ended = exited.then((code) => {
    throw new Error(`the user ended early, with ${String(code)}`);
  });
  const hello: unknown = JSON.parse(await Promise.race([greeting, ended]));
  ended.catch(() => undefined);
  return {
    ...(hello as { url: string; listenersAdded: number }),
    pid,
    tell: (word) => stdin.write(`${word}\n`),
    exitCode: () => exited,
    kill: async (signal, target = 'itself') => {
      process.kill(target === 'itself' ? pid : -pid, signal);
      await exited;
    },
  };
}
