import { createBullBoard } from '@bull-board/api';
import { FastifyAdapter } from '@bull-board/fastify';
import type { Clock } from '../../../async/clock.js';
import { messageOf, RequestRefusedError } from '../../../domain/errors.js';
import type { JobQueue, QueueBackend } from '../store/queue-store.js';
import { cleanupAdapter, type DashboardLetters, retentionAdapter } from './dashboard-queues.js';
import { CLEANUP_QUEUE, type QueueName, RETENTION_QUEUE } from '../names.js';
import type { QueueReport } from '../store/queue-report.js';
import { createOutageReporter } from '../store/outage-reporter.js';
import { openWhenPossible } from '../store/supervise.js';
import { within } from '../store/store-errors.js';

const REOPEN_MS = 1_000;
const ANSWER_LIMIT_MS = 1_000;
const CLOSE_LIMIT_MS = 1_000;

interface Deps {
  readonly backend: Pick<QueueBackend, 'queue'>;
  readonly deadLetters: DashboardLetters;
  readonly clock: Clock;
  readonly report: QueueReport;
}

/**
 * The dashboard of both queues, by bull-board. It serves its page at once; requests for data are refused with 503 until
 * the queues' store has been reached, because BullMQ's objects must not be made before, and while it does not answer.
 */
export function createQueueDashboard({ backend, deadLetters, clock, report }: Deps) {
  const closing = new AbortController();
  const queues: JobQueue[] = [];
  const server = new FastifyAdapter();
  server.setBasePath('/admin/queues');
  const board = createBullBoard({ queues: [], serverAdapter: server, options: BOARD });

  const outages = createOutageReporter({ clock, report, probe: async () => queues[0]?.getActiveCount() });
  const onError = (cause: unknown): void => outages.note(cause, "the queues' dashboard");

  function open(name: QueueName): Promise<JobQueue | undefined> {
    const opening = { clock, signal: closing.signal, everyMs: REOPEN_MS, onBroken: () => undefined };
    return openWhenPossible(() => backend.queue({ name, onError }), opening);
  }

  async function openBoth(): Promise<void> {
    const [cleanups, sweeps] = await Promise.all([open(CLEANUP_QUEUE), open(RETENTION_QUEUE)]);
    for (const queue of [cleanups, sweeps]) if (queue !== undefined) queues.push(queue);
    if (cleanups === undefined || sweeps === undefined) return;
    board.addQueue(cleanupAdapter(cleanups, deadLetters));
    board.addQueue(retentionAdapter(sweeps));
  }

  const opened = openBoth();
  const serve = server.registerPlugin();
  const plugin: typeof serve = (instance, options, done) => {
    instance.addHook('preHandler', async ({ routeOptions: { url = '' } }) => {
      if (url.includes('/api/')) await requireStore(queues[0], clock);
    });
    serve(instance, options, done);
  };

  async function closeOpened(): Promise<void> {
    await opened;
    await Promise.all(queues.map((queue) => queue.close()));
  }

  return {
    plugin,
    close: async (): Promise<void> => {
      closing.abort();
      outages.end();
      await within(clock, CLOSE_LIMIT_MS, closeOpened()).catch(() => undefined);
    },
  };
}

const BOARD: NonNullable<Parameters<typeof createBullBoard>[0]['options']> = {
  uiConfig: {
    boardTitle: 'runtime-cleanup',
    hideDocsLink: true,
    // What these two show comes by commands that a careful Redis does not allow.
    hideRedisDetails: true,
    showWorkers: false,
    pollingInterval: { showSetting: true },
    jobDetails: { defaultTab: 'Data' },
    miscLinks: [{ text: 'Overview', url: '/admin' }],
  },
};

/** Asks the store a small question before any larger one, so that a store that hangs is reported within a second. */
async function requireStore(queue: JobQueue | undefined, clock: Clock): Promise<void> {
  if (queue === undefined) throw refusal("the queue's store has not been reached since this service started");
  try {
    await within(clock, ANSWER_LIMIT_MS, queue.getActiveCount());
  } catch (cause) {
    throw refusal(`the queue's store does not answer: ${messageOf(cause)}`, { cause });
  }
}

const refusal = (message: string, options?: ErrorOptions): RequestRefusedError =>
  new RequestRefusedError('service_unavailable', 503, message, options);
