import { setTimeout as sleep } from 'node:timers/promises';

import { type Clock, systemClock } from '../../../async/clock.js';
import { messageOf } from '../../../domain/errors.js';
import { makeUsable, packagedBinaries } from './binaries.js';
import { DATABASE, ensureCluster, openDataDir, SUPERUSER, type Cluster } from './cluster.js';
import type { Membership } from './membership.js';
import { readPidFile, requestShutdown } from './postmaster.js';
import { joinServer, logFileOf, type ServerOptions } from './server.js';
import { findServerUser } from './server-user.js';

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
 * The PostgreSQL server that is used when no other is configured: its data, its password and its log live in `dataDir`.
 * It is shared by all processes of this user that name the same folder, and keeps running when one of them is killed.
 * While this process uses it, a server that exits is started again under the same address.
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
  const options: ServerOptions = { cluster, binaries, user, clock, log };

  const share = keepShare(options, await joinServer(options, undefined));
  let stopping: Promise<void> | undefined;
  return {
    url: urlOf(cluster, share.port),
    stop: () => (stopping ??= stop(options, share)),
  };
}

interface Share {
  readonly port: number;
  /** Ends the watch over the server; returns the current membership, if there is one. */
  readonly giveUp: () => Promise<Membership | undefined>;
}

/** Watches the membership: when its session is lost, the server is joined again, and started if necessary. */
function keepShare(options: ServerOptions, first: Membership): Share {
  const { log } = options;
  const { port } = first;
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
        const joined = await joinServer(options, port);
        if (joined.port !== port) {
          log(`the embedded PostgreSQL had to move from port ${port} to ${joined.port}: restart this process`);
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
    port,
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
  const running = await readPidFile(cluster.pgData);
  if (running === undefined) return;
  await requestShutdown(binaries, cluster.pgData, user);
  const deadlineMs = clock.monotonicMs() + STOP_LIMIT_MS;
  while (clock.monotonicMs() < deadlineMs) {
    const now = await readPidFile(cluster.pgData);
    if (now?.pid !== running.pid) return;
    await sleep(POLL_MS);
  }
  log(`the embedded PostgreSQL is still shutting down after ${STOP_LIMIT_MS} ms; its log: ${logFileOf(cluster)}`);
}

function urlOf(cluster: Cluster, port: number): string {
  return `postgresql://${SUPERUSER}:${cluster.password}@127.0.0.1:${port}/${DATABASE}`;
}
