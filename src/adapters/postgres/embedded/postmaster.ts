import { execFile, spawn } from 'node:child_process';
import { link, lstat, readFile, rename, rm, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

import type { Binaries } from './binaries.js';
import type { Cluster } from './cluster.js';
import { isCode, openServerLog, readServerFile } from './server-files.js';
import { childOptions, type ServerUser } from './server-user.js';

/** The server's own note of itself, `postmaster.pid`; a server that was killed leaves it behind. */
export interface PidFile {
  /** Undefined while the server has not written that far. */
  readonly pid: number | undefined;
  readonly port: number | undefined;
  /** The folder of its socket. */
  readonly socketFolder: string | undefined;
  /** Whether it listens on the network too, or instead, as servers of earlier releases do. */
  readonly isOnNetwork: boolean;
  readonly text: string;
}

/** A server that this process started and that may still be on its way. */
export interface Starting {
  /** What the server wrote to its log, once it has ended; undefined while it runs. */
  readonly lastWords: () => Promise<string | undefined>;
}

const run = promisify(execFile);
/** Part of the socket's name; its folder has no other socket. */
export const SOCKET_PORT = 5432;
const LOG_LIMIT_BYTES = 10 * 1024 * 1024;

const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '',
  port: String(SOCKET_PORT),
  unix_socket_permissions: '0700',
  timezone: 'UTC',
  log_timezone: 'UTC',
  fsync: 'on',
  max_connections: '200',
  max_wal_size: '256MB',
  // BullMQ's claims of due delayed jobs can deadlock; the default would stall each of them for a second.
  deadlock_timeout: '20ms',
};

export async function readPidFile(
  pgData: string,
  user: Pick<ServerUser, 'uid'> | undefined,
): Promise<PidFile | undefined> {
  const text = await readServerFile(pidFilePath(pgData), user);
  if (text === undefined) return undefined;
  const [pid, , , port, folder = '', network = ''] = text.split('\n');
  return {
    pid: positiveInteger(pid),
    port: positiveInteger(port),
    socketFolder: folder.startsWith('/') ? folder : undefined,
    isOnNetwork: network !== '',
    text,
  };
}

/**
 * Whether `pid` is a server of this data folder, and not another program that was given a dead server's number. Judged
 * by the command line; undefined if a process runs and its command line cannot be read.
 */
export async function isPostmaster(pid: number, pgData: string): Promise<boolean | undefined> {
  if (!isAlive(pid)) return false;
  const commandLine = await commandLineOf(pid);
  return commandLine?.includes(` -D ${pgData} `);
}

/**
 * Removes the lock file of an exited server whose process id another program has now: PostgreSQL itself would wait for that
 * program for ever. Should a server have started in this very moment, it gets its note back.
 */
export async function discardPidFile(
  { pgData }: Cluster,
  judged: PidFile,
  user: ServerUser | undefined,
): Promise<void> {
  const file = pidFilePath(pgData);
  const aside = `${file}.${process.pid}`;
  try {
    await rename(file, aside);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return;
    throw error;
  }
  if ((await readServerFile(aside, user)) !== judged.text) await link(aside, file);
  await rm(aside);
  await discardSocketLock(judged, user);
}

/** The socket has a lock file of its own, for which PostgreSQL would wait as well. */
async function discardSocketLock({ pid, socketFolder }: PidFile, user: ServerUser | undefined): Promise<void> {
  if (socketFolder === undefined) return;
  const file = path.join(socketFolder, `.s.PGSQL.${SOCKET_PORT}.lock`);
  const holder = await readServerFile(file, user);
  if (positiveInteger(holder?.split('\n')[0]) === pid) await rm(file, { force: true });
}

/**
 * Starts the server in a session of its own, so that neither Ctrl-C in our terminal nor our death reaches it. It writes
 * to `logFile`, because a pipe to us would break with us.
 */
export async function startPostmaster(options: {
  readonly binaries: Binaries;
  readonly cluster: Cluster;
  readonly socketFolder: string;
  readonly logFile: string;
  readonly user: ServerUser | undefined;
}): Promise<Starting> {
  const { binaries, cluster, socketFolder, logFile, user } = options;
  const log = await openLog(logFile, user);
  try {
    const { size: logStart } = await log.stat();
    const settings = Object.entries({
      ...SETTINGS,
      // A list, in which a comma would begin the next folder.
      unix_socket_directories: `"${socketFolder.replaceAll('"', '""')}"`,
      hba_file: cluster.rules.hbaFile,
      ident_file: cluster.rules.identFile,
    }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const child = spawn(binaries.postgres, ['-D', cluster.pgData, ...settings], {
      ...childOptions(user),
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    });
    let ended: string | undefined;
    child.once('error', (error) => (ended = error.message));
    child.once('exit', (code, signal) => (ended = `it ended with ${signal ?? code}`));
    child.unref();
    return {
      lastWords: async () => (ended === undefined ? undefined : `${await textFrom(logFile, logStart)}\n${ended}`),
    };
  } finally {
    await log.close();
  }
}

/** Asks for a fast shutdown: sessions are ended, data is written out. Does not wait for it. */
export async function requestShutdown(binaries: Binaries, pgData: string, user: ServerUser | undefined): Promise<void> {
  await run(binaries.pgCtl, ['stop', '-D', pgData, '-m', 'fast', '-W'], { ...childOptions(user), timeout: 10_000 });
}

/**
 * Ends a server that no longer answers; its data is brought in order by the next start. Sent as the server's user, because
 * that user could have written any number into the lock file.
 */
export async function killPostmaster(binaries: Binaries, pid: number, user: ServerUser | undefined): Promise<void> {
  await run(binaries.pgCtl, ['kill', 'KILL', String(pid)], childOptions(user)).catch((error: unknown) => {
    if (isAlive(pid)) throw error;
  });
}

function pidFilePath(pgData: string): string {
  return path.join(pgData, 'postmaster.pid');
}

function positiveInteger(line: string | undefined): number | undefined {
  const number = Number(line);
  return Number.isInteger(number) && number > 0 ? number : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** In words set apart by blanks. A process that is dead but not yet collected has an empty one. */
async function commandLineOf(pid: number): Promise<string | undefined> {
  switch (process.platform) {
    case 'linux':
      return readFile(`/proc/${pid}/cmdline`, 'utf8').then(
        (words) => words.replaceAll('\0', ' '),
        () => '',
      );
    case 'darwin':
      return run('ps', ['-ww', '-o', 'command=', '-p', String(pid)]).then(
        ({ stdout }) => stdout,
        () => '',
      );
    default:
      return undefined;
  }
}

/** A log that has grown large gives way to a new one. */
async function openLog(logFile: string, user: ServerUser | undefined): Promise<FileHandle> {
  const size = await lstat(logFile).then(
    (stats) => stats.size,
    () => 0,
  );
  if (size > LOG_LIMIT_BYTES) await rename(logFile, `${logFile}.1`);
  return openServerLog(logFile, user);
}

async function textFrom(file: string, position: number): Promise<string> {
  const bytes = await readFile(file);
  return bytes.subarray(position).toString('utf8').trim();
}
