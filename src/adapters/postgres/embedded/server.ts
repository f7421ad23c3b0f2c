import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Clock } from '../../../async/clock.js';
import { ConfigurationError, UnavailableError, BugError } from '../../../domain/errors.js';
import type { Binaries } from './binaries.js';
import type { Cluster } from './cluster.js';
import { join, type JoinAnswer, type Membership } from './membership.js';
import {
  discardPidFile,
  isPostmaster,
  killPostmaster,
  readPidFile,
  startPostmaster,
  type PidFile,
} from './postmaster.js';
import type { ServerUser } from './server-user.js';

export interface ServerOptions {
  readonly cluster: Cluster;
  readonly binaries: Binaries;
  readonly user: ServerUser | undefined;
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
const PORT_TAKEN = /Address already in use|could not create any TCP\/IP sockets/;

/**
 * Joins the cluster's server: the one that runs (also one started by another process, or left by a killed one), or one
 * that is started now, on `preferredPort` if that is free. Several processes may do this at once: PostgreSQL allows one
 * server for a data folder, and all processes join that one.
 */
export async function joinServer(options: ServerOptions, preferredPort: number | undefined): Promise<Membership> {
  const { cluster, clock } = options;
  const silence = createSilence(clock);
  const deadlineMs = clock.monotonicMs() + START_LIMIT_MS;
  let port = preferredPort;
  let why = 'it was not tried';

  while (clock.monotonicMs() < deadlineMs) {
    const running = await readPidFile(cluster.pgData);
    const found = running === undefined ? undefined : await joinRunning(options, running);
    if (found?.status === 'joined') return found.membership;
    if (found !== undefined && running !== undefined && (await mayStillAnswer(options, running, found))) {
      why = found.why;
      if (silence.lasts(running, found)) await replace(options, running, why);
    } else {
      port ??= running?.port;
      const started = await start(options, port ?? (await freePort()), deadlineMs);
      if (typeof started !== 'string') return started;
      why = started;
      if (PORT_TAKEN.test(why)) port = undefined;
    }
    await sleep(POLL_MS);
  }
  throw new UnavailableError(
    'postgresql',
    `the embedded PostgreSQL did not become ready within ${START_LIMIT_MS} ms: ${why}; its log: ${logFileOf(cluster)}`,
  );
}

function joinRunning({ cluster }: ServerOptions, running: PidFile): Promise<JoinAnswer> | JoinAnswer {
  if (running.port === undefined) return { status: 'silent', why: 'it has not named its port yet' };
  return join(cluster, running.port);
}

/** False when no server runs for the lock file: then one has to be started. */
async function mayStillAnswer(
  { cluster, log }: ServerOptions,
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
  log(`a PostgreSQL server (process ${running.pid}) was killed and left its lock file behind`);
  await discardPidFile(cluster.pgData, running);
  return false;
}

async function replace({ cluster, log }: ServerOptions, running: PidFile, why: string): Promise<void> {
  if (running.pid === undefined) {
    log('a PostgreSQL server exited while it started and left an empty lock file');
    await discardPidFile(cluster.pgData, running);
    return;
  }
  if ((await isPostmaster(running.pid, cluster.pgData)) !== true) return;
  log(`the PostgreSQL server (process ${running.pid}) does not answer (${why}); it is killed and started anew`);
  killPostmaster(running.pid);
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
async function start(options: ServerOptions, port: number, deadlineMs: number): Promise<Membership | string> {
  const { binaries, cluster, user, clock } = options;
  const logFile = logFileOf(cluster);
  const starting = await startPostmaster({ binaries, pgData: cluster.pgData, port, logFile, user });
  let why = 'it has not said anything yet';
  while (clock.monotonicMs() < deadlineMs) {
    const lastWords = await starting.lastWords();
    if (lastWords !== undefined) {
      if (WORTH_ANOTHER_TRY.test(lastWords) || PORT_TAKEN.test(lastWords)) return lastWords;
      throw new UnavailableError(
        'postgresql',
        `the embedded PostgreSQL does not start: ${fatalLine(lastWords)}; its log: ${logFile}`,
      );
    }
    const answer = await join(cluster, port);
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

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => {
        if (typeof address === 'object' && address !== null) resolve(address.port);
        else reject(new BugError('the probe for a free port has no port'));
      });
    });
  });
}
