/** The queue as a plain BullMQ client sees it: it adds jobs without any option, and looks at what became of them. */
import { createPostgresBackend, type Job, type JobType, Queue, withBackend } from 'bullmq';
import { createRedis, type RedisClient, untilReady } from '../../../src/adapters/redis/connection.js';
import type { Store } from '../experiment.js';

const QUEUE = 'runtime-cleanup';
const PREFIX = '{rtmanager}';

interface Request {
  readonly gameId: string;
  readonly opSource?: string;
  readonly expectedContainerId?: string;
}

export interface SeenJob {
  readonly id: string;
  readonly state: string;
  readonly gameId: string;
  readonly opSource: string;
  readonly failedReason: string;
  readonly result: unknown;
}

export interface Jobs {
  readonly ask: (request: Request) => Promise<string>;
  readonly state: (jobId: string) => Promise<string>;
  readonly all: () => Promise<readonly SeenJob[]>;
  /** Those that are still to end. */
  readonly unfinished: () => Promise<readonly SeenJob[]>;
  /** One that is not there is `missing`. */
  readonly find: (jobId: string) => Promise<SeenJob>;
  readonly close: () => Promise<void>;
}

const UNFINISHED: readonly JobType[] = ['waiting', 'active', 'delayed', 'prioritized', 'waiting-children'];

const OnPostgres = withBackend(createPostgresBackend);

type PlainQueue = Pick<Queue<Request, unknown>, 'add' | 'getJob' | 'getJobs' | 'waitUntilReady' | 'close' | 'on'>;

const queueOn = (store: Store, url: string, redis: RedisClient | undefined): PlainQueue =>
  store === 'redis'
    ? new Queue<Request, unknown>(QUEUE, { connection: redis ?? { url }, prefix: PREFIX })
    : // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- BullMQ types the store into its classes; nothing here looks at that part
      (new OnPostgres.Queue(QUEUE, { connection: { connectionString: url, migrate: true } }) as unknown as PlainQueue);

const MOST_JOBS = 10_000;
const READY_WITHIN_MS = 10_000;

/** `url` is Redis's or PostgreSQL's, past every proxy. */
export async function openJobs(store: Store, url: string): Promise<Jobs> {
  // BullMQ itself makes a client of one server only.
  const isOneServer = store === 'postgres' || url.startsWith('redis://');
  const redis = isOneServer ? undefined : createRedis({ url, role: 'commands', onError: () => undefined });
  if (redis !== undefined) await untilReady(redis, READY_WITHIN_MS, new AbortController().signal);
  const queue = queueOn(store, url, redis);
  queue.on('error', () => undefined);
  await queue.waitUntilReady();
  const seenOf = async (job: Job<Request, unknown>): Promise<SeenJob> => ({
    id: job.id ?? '',
    state: await job.getState(),
    gameId: job.data.gameId,
    opSource: job.data.opSource ?? '',
    failedReason: job.failedReason ?? '',
    result: job.returnvalue,
  });
  return {
    ask: async ({ opSource = 'admin_rest', ...rest }) => {
      const { id } = await queue.add('cleanup_container', { opSource, ...rest });
      return id ?? '';
    },
    state: async (jobId) => (await (await queue.getJob(jobId))?.getState()) ?? 'missing',
    all: async () => {
      const jobs = await queue.getJobs(undefined, 0, MOST_JOBS);
      return Promise.all(jobs.map(seenOf));
    },
    unfinished: async () => {
      const jobs = await queue.getJobs([...UNFINISHED], 0, MOST_JOBS);
      // One may have gone while they were read.
      return Promise.all(jobs.filter((job) => job !== undefined).map(seenOf));
    },
    find: async (jobId) => {
      const job = await queue.getJob(jobId);
      return job === undefined
        ? { id: jobId, state: 'missing', gameId: '', opSource: '', failedReason: '', result: undefined }
        : seenOf(job);
    },
    close: async () => {
      await queue.close();
      redis?.disconnect();
    },
  };
}
