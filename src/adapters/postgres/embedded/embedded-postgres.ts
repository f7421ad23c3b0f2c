import { realpath, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

import { type Clock, systemClock } from '../../../async/clock.js';
import { ConfigurationError, messageOf } from '../../../domain/errors.js';
import { makeUsable, packagedBinaries } from './binaries.js';
import { DATABASE, ensureCluster, pgDataOf, SUPERUSER } from './cluster.js';
import { openDataDir } from './data-dir.js';
import type { Membership } from './membership.js';
import { isPostmaster, readPidFile, requestShutdown, SOCKET_PORT } from './postmaster.js';
import { isCode } from './server-files.js';
import { joinServer, logFileOf, type ServerOptions } from './server.js';
import { findServerUser } from './server-user.js';
import { openSocketFolder } from './socket-folder.js';

export interface EmbeddedPostgres {
  readonly url: string;
  /**
   * Ends this process's membership; the last process to do so stops the server and waits for its end. Safe to call twice.
   * Call it after everything that uses `url` has been closed. Never rejects: what went wrong is logged.
   */
  readonly stop: () => Promise<void>;
}

const STOP_LIMIT_MS = 30_000;
const POLL_MS = 30;
const REJOIN_FIRST_MS = 200;
const REJOIN_MOST_MS = 10_000;

/**
 * The PostgreSQL server that is used when no other is configured: its data, its socket and its log lie in `dataDir`. It is
 * shared by all processes of this user that name the same folder, and keeps running when one of them is killed. While this
 * process uses it, a server that exits is started again under the same address.
 *
 * Installs no signal handler and never touches how this process ends. A process that ends without `stop` leaves the
 * server running; the next start takes it over.
 *
 * Rejects with `ConfigurationError` when it cannot work here, with `UnavailableError` when it did not start.
 */
export async function startEmbeddedPostgres(deps: {
  readonly dataDir: string;
  readonly log: (message: string) => void;
  readonly clock?: Clock;
}): Promise<EmbeddedPostgres> {
  const { log, clock = systemClock } = deps;
  // Checked first: without a server program, as in a container image, no data folder must be created.
  const packaged = await packagedBinaries();
  const user = await findServerUser();
  const dataDir = await openDataDir(deps.dataDir, user);
  const binaries = await makeUsable(packaged, dataDir, user);
  const cluster = await ensureCluster(dataDir, binaries, user);
  const socketFolder = await openSocketFolder(cluster.pgData, user);
  if (socketFolder !== cluster.pgData)
    log(`its socket is in ${socketFolder}: the path of its data is too long for one`);
  const options: ServerOptions = { cluster, binaries, user, socketFolder, clock, log };

  const share = keepShare(options, await joinServer(options));
  let stopping: Promise<void> | undefined;
  return {
    url: urlOf(share.socketFolder),
    stop: () => (stopping ??= stop(options, share)),
  };
}

interface Share {
  readonly socketFolder: string;
  /** Ends the watch over the server; returns the current membership, if there is one. */
  readonly giveUp: () => Promise<Membership | undefined>;
}

/** Watches the membership: when its session is lost, the server is joined again, and started if necessary. */
function keepShare(options: ServerOptions, first: Membership): Share {
  const { log } = options;
  const { host: socketFolder } = first.place;
  const ended = new AbortController();
  let membership: Membership | undefined;
  let rejoining: Promise<void> = Promise.resolve();

  const watch = (joined: Membership): void => {
    membership = joined;
    joined.onLost(() => {
      membership = undefined;
      rejoining = rejoin();
    });
  };

  const rejoin = async (): Promise<void> => {
    for (let delayMs = REJOIN_FIRST_MS; !ended.signal.aborted; delayMs = Math.min(2 * delayMs, REJOIN_MOST_MS)) {
      try {
        const joined = await joinServer(options);
        if (joined.place.host !== socketFolder) {
          log(`its socket has moved from ${socketFolder} to ${joined.place.host}: restart this process`);
        }
        watch(joined);
        return;
      } catch (error) {
        log(`the embedded PostgreSQL is gone: ${messageOf(error)}; trying again`);
      }
      await sleep(delayMs, undefined, { ref: false, signal: ended.signal }).catch(() => undefined);
    }
  };

  watch(first);
  return {
    socketFolder,
    giveUp: async () => {
      ended.abort();
      await Promise.race([rejoining, sleep(STOP_LIMIT_MS, undefined, { ref: false })]);
      return membership;
    },
  };
}

async function stop(options: ServerOptions, share: Share): Promise<void> {
  const membership = await share.giveUp();
  if (membership === undefined) return;
  try {
    if (await membership.leave()) await shutDown(options);
  } catch (error) {
    // The server may have exited already, or be about to: then there is nothing left to stop.
    options.log(`the embedded PostgreSQL could not be asked to stop: ${messageOf(error)}`);
  } finally {
    await membership.close();
  }
}

/** While this process alone holds the members' lock, no other process can join the server that is about to stop. */
async function shutDown({ binaries, cluster, user, clock, log }: ServerOptions): Promise<void> {
  const running = await readPidFile(cluster.pgData, user);
  if (running === undefined) return;
  await requestShutdown(binaries, cluster.pgData, user);
  const deadlineMs = clock.monotonicMs() + STOP_LIMIT_MS;
  while (clock.monotonicMs() < deadlineMs) {
    const now = await readPidFile(cluster.pgData, user);
    if (now?.pid !== running.pid) return;
    await sleep(POLL_MS);
  }
  log(`the embedded PostgreSQL is still shutting down after ${STOP_LIMIT_MS} ms; its log: ${logFileOf(cluster)}`);
}

/** The host before the path is only there because some clients need one; the folder takes its place. */
const urlOf = (socketFolder: string): string =>
  `postgresql://${SUPERUSER}@localhost:${SOCKET_PORT}/${DATABASE}?host=${encodeURIComponent(socketFolder).replaceAll('%2F', '/')}`;

/**
 * The address of the server that runs for `dataDir`, or undefined when none runs. Starts nothing. Rejects with
 * `ConfigurationError` when this user may not use it.
 */
export async function findEmbeddedPostgres(dataDir: string): Promise<string | undefined> {
  try {
    const pgData = pgDataOf(await realpath(dataDir));
    // Root may ask about the server of any user.
    const running = await readPidFile(pgData, await stat(pgData));
    if (running?.pid === undefined || running.socketFolder === undefined) return undefined;
    return (await isPostmaster(running.pid, pgData)) === false ? undefined : urlOf(running.socketFolder);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw new ConfigurationError(
      `${dataDir} cannot be read (${messageOf(error)}): the embedded PostgreSQL is used by root and by the user who runs it`,
      { cause: error },
    );
  }
}
