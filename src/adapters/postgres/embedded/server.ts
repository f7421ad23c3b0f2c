import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Clock } from '../../../async/clock.js';
import { ConfigurationError, UnavailableError } from '../../../domain/errors.js';
import type { Binaries } from './binaries.js';
import type { Cluster } from './cluster.js';
import { stopEarlierServer } from './earlier-release.js';
import { join, type JoinAnswer, type Membership } from './membership.js';
import { wayAcross } from './other-version.js';
import {
  discardPidFile,
  isPostmaster,
  killPostmaster,
  readPidFile,
  SOCKET_PORT,
  startPostmaster,
  type PidFile,
} from './postmaster.js';
import type { ServerUser } from './server-user.js';

export interface ServerOptions {
  readonly cluster: Cluster;
  readonly binaries: Binaries;
  readonly user: ServerUser | undefined;
  /** Where a server that is started now has its socket. */
  readonly socketFolder: string;
  readonly clock: Clock;
  readonly log: (message: string) => void;
}

/** Recovery after a crash reads the whole log since the last checkpoint; this is far longer than that takes. */
const START_LIMIT_MS = 120_000;
/** A running server that accepts no session for this long is replaced. */
const SILENCE_LIMIT_MS = 15_000;
const POLL_MS = 50;

/** How a start may fail while another start, a shutdown or a crash recovery is under way; a later try may succeed. */
const WORTH_ANOTHER_TRY =
  /lock file .* (already exists|is empty)|pre-existing shared memory block|is still in use|database system is (starting up|shutting down)/;

/**
 * Joins the cluster's server: the one that runs (also one started by another process, or left by a killed one), or one
 * that is started now. Several processes may do this at once: PostgreSQL allows one server for a data folder, and all
 * processes join that one.
 */
export async function joinServer(options: ServerOptions): Promise<Membership> {
  const { cluster, clock, user } = options;
  const silence = createSilence(clock);
  const deadlineMs = clock.monotonicMs() + START_LIMIT_MS;
  let why = 'it was not tried';

  while (clock.monotonicMs() < deadlineMs) {
    const running = await readPidFile(cluster.pgData, user);
    const found = running === undefined ? undefined : await joinRunning(options, running);
    if (found?.status === 'joined') return found.membership;
    if (found !== undefined && running !== undefined && (await mayStillAnswer(options, running, found))) {
      why = found.why;
      if (silence.lasts(running, found)) await replace(options, running, why);
    } else {
      const started = await start(options, deadlineMs);
      if (typeof started !== 'string') return started;
      why = started;
    }
    await sleep(POLL_MS);
  }
  throw new UnavailableError(
    'postgresql',
    `the embedded PostgreSQL did not become ready within ${START_LIMIT_MS} ms: ${why}; its log: ${logFileOf(cluster)}`,
  );
}

function joinRunning(options: ServerOptions, running: PidFile): Promise<JoinAnswer> | JoinAnswer {
  const { port, socketFolder, isOnNetwork } = running;
  if (port !== undefined && socketFolder !== undefined) return join(options.cluster, { host: socketFolder, port });
  if (port !== undefined && isOnNetwork) return stopEarlierServer(options, port);
  return { status: 'silent', why: 'it has not named its socket yet' };
}

/** False when no server runs for the lock file: then one has to be started. */
async function mayStillAnswer(
  { cluster, log, user }: ServerOptions,
  running: PidFile,
  answer: Exclude<JoinAnswer, { readonly status: 'joined' }>,
): Promise<boolean> {
  if (answer.status === 'not_ready' || running.pid === undefined) return true;
  if ((await isPostmaster(running.pid, cluster.pgData)) !== false) {
    if (answer.status === 'silent') return true;
    throw new ConfigurationError(
      `the PostgreSQL server of ${cluster.pgData} (process ${running.pid}) does not let us in: ${answer.why}`,
    );
  }
  // A server that has ended in the meantime has removed its lock file itself.
  if ((await readPidFile(cluster.pgData, user))?.text !== running.text) return true;
  log(`a PostgreSQL server (process ${running.pid}) was killed and left its lock file behind`);
  await discardPidFile(cluster, running, user);
  return false;
}

async function replace({ cluster, binaries, log, user }: ServerOptions, running: PidFile, why: string): Promise<void> {
  if (running.pid === undefined) {
    log('a PostgreSQL server exited while it started and left an empty lock file');
    await discardPidFile(cluster, running, user);
    return;
  }
  if ((await isPostmaster(running.pid, cluster.pgData)) !== true) return;
  log(`the PostgreSQL server (process ${running.pid}) does not answer (${why}); it is killed and started anew`);
  await killPostmaster(binaries, running.pid, user);
}

/** Measures how long the same server has neither answered nor written to its lock file. */
function createSilence(clock: Clock): { readonly lasts: (running: PidFile, answer: JoinAnswer) => boolean } {
  let silent: string | undefined;
  let sinceMs = 0;
  return {
    lasts: ({ text }, { status }) => {
      if (status !== 'silent' || text !== silent) {
        silent = status === 'silent' ? text : undefined;
        sinceMs = clock.monotonicMs();
      }
      return clock.monotonicMs() - sinceMs > SILENCE_LIMIT_MS;
    },
  };
}

/** Starts a server and joins it; a text says why that failed if a later try may succeed. */
async function start(options: ServerOptions, deadlineMs: number): Promise<Membership | string> {
  const { binaries, cluster, socketFolder, user, clock } = options;
  const logFile = logFileOf(cluster);
  const starting = await startPostmaster({ binaries, cluster, socketFolder, logFile, user });
  let why = 'it has not said anything yet';
  while (clock.monotonicMs() < deadlineMs) {
    const lastWords = await starting.lastWords();
    if (lastWords !== undefined) {
      if (WORTH_ANOTHER_TRY.test(lastWords)) return lastWords;
      const advice = wayAcross(lastWords, cluster.pgData);
      if (advice !== undefined) throw new ConfigurationError(advice);
      throw new UnavailableError(
        'postgresql',
        `the embedded PostgreSQL does not start: ${fatalLine(lastWords)}; its log: ${logFile}`,
      );
    }
    const answer = await join(cluster, { host: socketFolder, port: SOCKET_PORT });
    if (answer.status === 'joined') return answer.membership;
    why = answer.why;
    await sleep(POLL_MS);
  }
  return why;
}

export function logFileOf(cluster: Cluster): string {
  return path.join(path.dirname(cluster.pgData), 'postgres.log');
}

function fatalLine(words: string): string {
  const lines = words.split('\n');
  return lines.find((line) => /FATAL|PANIC|error while loading/.test(line)) ?? lines.at(-1) ?? '';
}
