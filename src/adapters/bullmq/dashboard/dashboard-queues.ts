/** The two queues as the dashboard shows them, and what its buttons do to a job. */
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import type { QueueJob } from '@bull-board/api/typings/app';
import { visible } from '../../../domain/text.js';
import type { DeadLetters } from '../../../jobs/dead-letters.js';
import type { JobQueue } from '../store/queue-store.js';
import { textIn } from '../dead-letters/to-dead-letter.js';
import { RequestRefusedError } from '../../../domain/errors.js';

const TITLE_CHARACTERS = 200;
const GAME_CHARACTERS = 80;
const CLEANUPS = 'Containers to remove. What failed is a dead letter: mend what its reason names, then retry it.';
const SWEEPS = 'The sweeps that ask for what retention has made due.';

type Letters = Pick<DeadLetters, 'replay' | 'purge'>;

/**
 * Cleanups. A failed one can be retried or removed, and either means what it means everywhere else: a dead letter is
 * replayed or purged, or left alone if it is none any more.
 */
export function cleanupAdapter(queue: JobQueue, letters: Letters): BullMQAdapter {
  // Not in the type of the options, but read: what is completed has nothing left to do.
  const options = { description: CLEANUPS, allowCompletedRetries: false };
  const adapter = new BullMQAdapter(queue, options);
  const [getJob, getJobs] = [adapter.getJob.bind(adapter), adapter.getJobs.bind(adapter)];
  adapter.getJob = async (id) => {
    const job = await getJob(id);
    return job === undefined || job === null ? undefined : asDeadLetter(job, letters);
  };
  adapter.getJobs = async (...asked) => (await getJobs(...asked)).map((job) => asDeadLetter(job, letters));
  adapter.setFormatter('name', titleOf);
  return adapter;
}

/** Sweeps: only to be looked at, so that the schedule is nobody's to lose. */
export function retentionAdapter(queue: JobQueue): BullMQAdapter {
  return new BullMQAdapter(queue, { description: SWEEPS, readOnlyMode: true });
}

function asDeadLetter<Shown extends QueueJob>(job: Shown, letters: Letters): Shown {
  const jobId = String(job.toJSON().id);
  return Object.assign(job, {
    retry: async (): Promise<void> => settled(jobId, 'replay', await letters.replay(jobId)),
    remove: async (): Promise<void> => settled(jobId, 'purge', await letters.purge(jobId)),
  });
}

type Answer = Awaited<ReturnType<Letters['replay']>> | Awaited<ReturnType<Letters['purge']>>;

function settled(jobId: string, deed: string, answer: Answer): void {
  switch (answer.status) {
    case 'replayed':
    case 'purged':
      return;
    case 'missing':
      throw new RequestRefusedError('not_found', 404, `there is no job ${jobId} to ${deed}`);
    case 'live':
      throw new RequestRefusedError(
        'conflict',
        409,
        `job ${jobId} is ${answer.state}; only a dead letter can be ${deed}d`,
      );
  }
}

/** Some of what bull-board hands a formatter: a job as JSON. */
interface ShownJob {
  readonly name: string;
  readonly data: unknown;
  readonly failedReason?: string | null | undefined;
}

/** The job's name is the same for all: people look for the game, and for why it failed. */
function titleOf({ name, data, failedReason }: ShownJob): string {
  const about = cut(visible(textIn(data, 'gameId') || name), GAME_CHARACTERS);
  return failedReason ? cut(`${about}: ${visible(failedReason)}`, TITLE_CHARACTERS) : about;
}

/** By characters, so that none is torn. */
function cut(text: string, most: number): string {
  const characters = Array.from(text);
  return characters.length > most ? `${characters.slice(0, most - 1).join('')}…` : text;
}
