/** The two queues as the dashboard shows them, and what its buttons do to a job. */
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import type { QueueJob } from '@bull-board/api/typings/app';
import { visible } from '../../../domain/text.js';
import type { DeadLetterPurger, DeadLetterReplayer } from '../../../jobs/dead-letters.js';
import type { JobQueue } from '../store/queue-store.js';
import { textIn } from '../dead-letters/to-dead-letter.js';
import { RequestRefusedError } from '../../../domain/errors.js';

const TITLE_CHARACTERS = 200;
const GAME_CHARACTERS = 80;
const CLEANUPS = 'Containers to remove. A failed job is a dead letter: repair what its reason names, then retry it.';
const SWEEPS = 'The sweeps that enqueue the cleanups that retention has made due.';

export type DashboardLetters = Pick<DeadLetterReplayer, 'replay'> & Pick<DeadLetterPurger, 'purge'>;

/**
 * The queue of cleanups. Its buttons retry and remove a failed job, as the API and the commands do: a dead letter is
 * replayed or purged, and a job that is no longer a dead letter is left alone.
 */
export function cleanupAdapter(queue: JobQueue, letters: DashboardLetters): BullMQAdapter {
  // The adapter reads this option, although its type does not have it: a completed job has nothing left to do.
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

/** The queue of sweeps; read-only, so that no click can remove the schedule. */
export function retentionAdapter(queue: JobQueue): BullMQAdapter {
  return new BullMQAdapter(queue, { description: SWEEPS, readOnlyMode: true });
}

function asDeadLetter<Shown extends QueueJob>(job: Shown, letters: DashboardLetters): Shown {
  const jobId = String(job.toJSON().id);
  return Object.assign(job, {
    retry: async (): Promise<void> => requireChanged(jobId, 'replay', await letters.replay(jobId)),
    remove: async (): Promise<void> => requireChanged(jobId, 'purge', await letters.purge(jobId)),
  });
}

type Answer = Awaited<ReturnType<DashboardLetters['replay']>> | Awaited<ReturnType<DashboardLetters['purge']>>;

function requireChanged(jobId: string, action: 'replay' | 'purge', answer: Answer): void {
  switch (answer.status) {
    case 'replayed':
    case 'purged':
      return;
    case 'missing':
      throw new RequestRefusedError('not_found', 404, `there is no job ${jobId} to ${action}`);
    case 'live': {
      const message = `job ${jobId} is ${answer.state}; only a dead letter can be ${action}d`;
      throw new RequestRefusedError('conflict', 409, message);
    }
  }
}

/** A part of what bull-board gives a formatter: a job as JSON. */
interface ShownJob {
  readonly name: string;
  readonly data: unknown;
  readonly failedReason?: string | null | undefined;
}

/** All jobs have the same name: people look for the game, and for the reason of a failure. */
function titleOf({ name, data, failedReason }: ShownJob): string {
  const about = cut(visible(textIn(data, 'gameId') || name), GAME_CHARACTERS);
  return failedReason ? cut(`${about}: ${visible(failedReason)}`, TITLE_CHARACTERS) : about;
}

/** Counts characters, so that no surrogate pair is cut in two. */
function cut(text: string, most: number): string {
  const characters = Array.from(text);
  return characters.length > most ? `${characters.slice(0, most - 1).join('')}…` : text;
}
