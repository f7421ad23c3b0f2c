/**
 * How the PostgreSQL connections of one process are shared out. One setting bounds all of them, in every role,
 * so that an operator can multiply it by the number of processes.
 */
import { derived, type Surroundings } from './field.js';
import { whole } from './parsers.js';

type Store = 'redis' | 'postgres';

/** The settings that decide how many connections a process must have at once. */
export interface ConnectionNeeds {
  /** Null: the embedded PostgreSQL. */
  readonly databaseUrl: string | null;
  readonly queueBackend: Store;
  readonly leaseStore: Store;
  readonly workerConcurrency: number;
}

export interface ConnectionShares {
  /** For records, the operation log, engines, and the leases where they are in PostgreSQL. */
  readonly records: number;
  /** 0: the queue is in Redis. */
  readonly queue: number;
  /** How many of the queue's connections the requests of workers may use at a time. */
  readonly queueWork: number;
}

/** A request takes milliseconds, so jobs share connections; with more jobs for each, renewals of leases would come late. */
const JOBS_PER_CONNECTION = 16;
/** A sweep keeps a connection for its lock. */
const SWEEP_LOCK = 1;
/** HTTP, sweeps and commands. */
const OTHERS = 1;
/** Two workers, of cleanups and of sweeps, and one listener to events keep one each, and so does the schedule's lock. */
const QUEUE_BESIDE_WORK = 3 + 1 + OTHERS;
/** Of each process that uses the embedded PostgreSQL: the server runs while it is open. */
const MEMBERSHIP = 1;

/** Five processes fit a server with PostgreSQL's own default of 100. */
const USUAL = 20;
/** With one job at a time, and queue and leases in Redis. */
const FEWEST = SWEEP_LOCK + OTHERS + 1;
const MOST = 1_000;

function leastShares({ queueBackend, leaseStore, workerConcurrency }: ConnectionNeeds): ConnectionShares {
  const jobs = Math.ceil(workerConcurrency / JOBS_PER_CONNECTION);
  const records = SWEEP_LOCK + OTHERS + jobs + (leaseStore === 'postgres' ? jobs : 0);
  return queueBackend === 'postgres'
    ? { records, queue: QUEUE_BESIDE_WORK + jobs, queueWork: jobs }
    : { records, queue: 0, queueWork: 0 };
}

/** The least with which every part of a process goes on, in the role that needs most. */
export function leastConnections(needs: ConnectionNeeds): number {
  const { records, queue } = leastShares(needs);
  return records + queue + (needs.databaseUrl === null ? MEMBERSHIP : 0);
}

/** What is more than the least is shared evenly between the records and the queue. */
export function shareConnections(settings: ConnectionNeeds & { readonly maxConnections: number }): ConnectionShares {
  const { records, queue, queueWork } = leastShares(settings);
  const spare = settings.maxConnections - leastConnections(settings);
  const queueSpare = queue === 0 ? 0 : Math.floor(spare / 2);
  return { records: records + spare - queueSpare, queue: queue + queueSpare, queueWork: queueWork + queueSpare };
}

export const maxConnectionsSetting = derived('RTMANAGER_MAX_CONNECTIONS', whole(FEWEST, MOST), {
  fallback: `${USUAL}, or what \`RTMANAGER_WORKER_CONCURRENCY\` needs at least where that is more`,
  meaning: 'the most PostgreSQL connections of one process; `docs/operations.md` says what each role uses of them',
  allowed: `a whole number from ${FEWEST} to ${MOST}, and no fewer than the stores and \`RTMANAGER_WORKER_CONCURRENCY\` need at once, which the refusal names`,
  unit: 'connections',
  whenNotSet: ({
    databaseUrl = null,
    queueBackend = 'postgres',
    leaseStore = 'postgres',
    workerConcurrency = 1,
  }: Surroundings): number =>
    Math.max(USUAL, leastConnections({ databaseUrl, queueBackend, leaseStore, workerConcurrency })),
});

/** Too few connections for what must run at once would be waits without an end. */
export function connectionLines(settings: ConnectionNeeds & { readonly maxConnections: number }): readonly string[] {
  const { maxConnections, workerConcurrency, queueBackend, leaseStore } = settings;
  const least = leastConnections(settings);
  if (maxConnections >= least) return [];
  const stores = `queue in ${queueBackend}, leases in ${leaseStore}${settings.databaseUrl === null ? ', embedded PostgreSQL' : ''}`;
  const jobs = mostJobs(settings);
  return [
    `RTMANAGER_MAX_CONNECTIONS: "${maxConnections}" is too few for RTMANAGER_WORKER_CONCURRENCY=${workerConcurrency} (${stores}); allowed: ${least} to ${MOST}${
      jobs === 0 ? '' : `, or RTMANAGER_WORKER_CONCURRENCY of at most ${jobs}`
    }`,
  ];
}

/** How many jobs at a time the connections are enough for; 0: not for one. */
function mostJobs(settings: ConnectionNeeds & { readonly maxConnections: number }): number {
  let jobs = settings.workerConcurrency;
  while (jobs > 0 && leastConnections({ ...settings, workerConcurrency: jobs }) > settings.maxConnections) jobs -= 1;
  return jobs;
}
