import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { Clock } from '../../clock.js';
import type { JobQueue, QueueBackend } from './backend.js';
import { textIn } from './dead-letter-of.js';
import { CLEANUP_QUEUE, type QueueName, RETENTION_QUEUE } from './names.js';
import type { QueueReport } from './report.js';
import { createStreak } from './streak.js';
import { openWhenPossible } from './supervise.js';
import { within } from './time.js';

const REOPEN_MS = 1_000;
const CLOSE_LIMIT_MS = 1_000;
const TITLE_CHARACTERS = 200;

const DESCRIPTIONS: Readonly<Record<QueueName, string>> = {
  [CLEANUP_QUEUE]: 'Containers to remove. What failed is a dead letter: mend what its reason names, then retry it.',
  [RETENTION_QUEUE]: 'The sweeps that ask for what retention has made due.',
};

interface Deps {
  readonly backend: Pick<QueueBackend, 'queue'>;
  readonly clock: Clock;
  readonly report: QueueReport;
}

/**
 * The dashboard of both queues, by bull-board. Its pages are there at once, the queues on them as soon as their store
 * has been reached: BullMQ's objects must not be made before.
 */
export function createBoard({ backend, clock, report }: Deps) {
  const closing = new AbortController();
  const queues: JobQueue[] = [];
  const server = new FastifyAdapter();
  server.setBasePath('/admin/queues');
  const board = createBullBoard({
    queues: [],
    serverAdapter: server,
    options: {
      uiConfig: {
        boardTitle: 'runtime-cleanup',
        hideDocsLink: true,
        // What it shows of the store comes by a command that a careful Redis does not allow.
        hideRedisDetails: true,
        showWorkers: false,
        pollingInterval: { showSetting: true },
        jobDetails: { defaultTab: 'Data' },
        miscLinks: [{ text: 'Overview', url: '/admin' }],
      },
    },
  });

  const streak = createStreak({ clock, report, probe: async () => queues[0]?.getActiveCount() });
  const onError = (cause: unknown): void => streak.note(cause, "the queues' dashboard");

  async function open(name: QueueName): Promise<void> {
    const opening = { clock, signal: closing.signal, everyMs: REOPEN_MS, onBroken: () => undefined };
    const queue = await openWhenPossible(() => backend.queue({ name, onError }), opening);
    if (queue === undefined) return;
    queues.push(queue);
    board.addQueue(adapterOf(queue, DESCRIPTIONS[name]));
  }

  const opened = Promise.all([open(CLEANUP_QUEUE), open(RETENTION_QUEUE)]);

  async function goodbyes(): Promise<void> {
    await opened;
    await Promise.all(queues.map((queue) => queue.close()));
  }

  return {
    plugin: server.registerPlugin(),
    close: async (): Promise<void> => {
      closing.abort();
      streak.end();
      await within(clock, CLOSE_LIMIT_MS, goodbyes()).catch(() => undefined);
    },
  };
}

function adapterOf(queue: JobQueue, description: string): BullMQAdapter {
  const adapter = new BullMQAdapter(queue, { description });
  // The job's name is the same for all: people look for the game, and for why it failed.
  adapter.setFormatter('name', titleOf);
  return adapter;
}

/** Some of what bull-board hands a formatter: a job as JSON. */
interface ShownJob {
  readonly name: string;
  readonly data: unknown;
  readonly failedReason?: string | null | undefined;
}

function titleOf({ name, data, failedReason }: ShownJob): string {
  const about = textIn(data, 'gameId') || name;
  const title = failedReason === undefined || failedReason === null ? about : `${about}: ${failedReason}`;
  return title.length > TITLE_CHARACTERS ? `${title.slice(0, TITLE_CHARACTERS).toWellFormed()}…` : title;
}
