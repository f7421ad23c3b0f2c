/** Another service of the platform: it uses BullMQ and the documented contract, and no code of this program. */
import { createPostgresBackend, Queue, withBackend } from 'bullmq';
import type { Config } from '../../src/config/config.js';
import { jobOutcome } from '../report/verdict.js';

const QUEUE = 'runtime-cleanup';
const RETENTION_QUEUE = 'runtime-retention';
const PREFIX = '{rtmanager}';
const MAX_JOBS = 10_000;

export interface SeenJob {
  readonly id: string;
  /** Undefined when the job's data names no game. */
  readonly gameId: string | undefined;
  /** A `JobOutcome`, or another state of the queue. */
  readonly outcome: string;
}

export interface OtherService {
  /** Adds a job without any option; resolves to its id. */
  readonly request: (jobName: string, data: unknown) => Promise<string>;
  readonly jobs: () => Promise<readonly SeenJob[]>;
  readonly counts: () => Promise<{ readonly ended: number; readonly total: number }>;
  /** The job ids of the dead letters. */
  readonly deadLetters: () => Promise<readonly string[]>;
  /** Whether a scheduled sweep has ended and none runs. */
  readonly hasSwept: () => Promise<boolean>;
  readonly close: () => Promise<void>;
}

interface Options {
  readonly config: Pick<Config, 'queueBackend' | 'redisUrl'>;
  readonly databaseUrl: string;
  readonly onError: (error: Error) => void;
}

export async function openOtherService(options: Options): Promise<OtherService> {
  const queue = createQueue(QUEUE, options).on('error', options.onError);
  const retention = createQueue(RETENTION_QUEUE, options).on('error', options.onError);
  await Promise.all([queue.waitUntilReady(), retention.waitUntilReady()]);
  return {
    request: async (jobName, data) => (await queue.add(jobName, data)).id ?? '',
    jobs: async () => {
      const jobs = await queue.getJobs(undefined, 0, MAX_JOBS);
      return Promise.all(
        jobs.map(async (job) => {
          const state = await job.getState();
          const code = state === 'failed' ? codeOfReason(job.failedReason) : codeOfResult(job.returnvalue);
          return { id: job.id ?? '', gameId: gameIdOf(job.data), outcome: jobOutcome(state, code) };
        }),
      );
    },
    counts: async () => {
      const counts = await queue.getJobCounts();
      const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
      return { ended: (counts['completed'] ?? 0) + (counts['failed'] ?? 0), total };
    },
    deadLetters: async () => (await queue.getJobs(['failed'], 0, MAX_JOBS)).map(({ id }) => id ?? ''),
    hasSwept: async () => {
      const { completed = 0, active = 0, waiting = 0 } = await retention.getJobCounts();
      return completed > 0 && active + waiting === 0;
    },
    close: async () => {
      await Promise.all([queue.close(), retention.close()]);
    },
  };
}

type PlainQueue = Pick<Queue<unknown, unknown>, 'add' | 'getJobs' | 'getJobCounts' | 'waitUntilReady' | 'close'> & {
  readonly on: (event: 'error', listener: (error: Error) => void) => PlainQueue;
};

function createQueue(name: string, { config, databaseUrl }: Options): PlainQueue {
  if (config.queueBackend === 'redis') {
    return new Queue<unknown, unknown>(name, { connection: { url: config.redisUrl ?? '' }, prefix: PREFIX });
  }
  const OnPostgres = withBackend(createPostgresBackend);
  return new OnPostgres.Queue<unknown, unknown>(name, {
    connection: { connectionString: databaseUrl, migrate: true },
  });
}

/** A dead letter's reason is `<code>: <message>` by the contract. */
function codeOfReason(reason: string | undefined): string | undefined {
  return /^([a-z_]+): /.exec(reason ?? '')?.[1];
}

function codeOfResult(result: unknown): string | undefined {
  if (typeof result !== 'object' || result === null || !('errorCode' in result)) return undefined;
  return typeof result.errorCode === 'string' ? result.errorCode : undefined;
}

function gameIdOf(data: unknown): string | undefined {
  if (typeof data !== 'object' || data === null || !('gameId' in data)) return undefined;
  return typeof data.gameId === 'string' ? data.gameId : undefined;
}
