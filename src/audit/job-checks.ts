/** Active jobs without a worker, and dead letters without a reason. */
import { type Clock, pause } from '../async/clock.js';
import { messageOf } from '../domain/errors.js';
import { judgeReason, judgeUnlocked, judgeUnlogged } from './judge-invariants.js';
import type { AuditedDeadLetter, AuditQueue, AuditRecords, JobOfGame, UnlockedJob } from './audit-ports.js';
import type { Tally } from './audit-report.js';

const PAGE_DEAD_LETTERS = 500;
const LOOK_AGAIN_MS = 1_000;

interface Waiting {
  readonly clock: Clock;
  /** How long workers may take for what they repair by themselves. */
  readonly patienceMs: number;
  readonly signal: AbortSignal;
}

/** Checks the suspects again and again, until all are cleared or the time is over; resolves to the rest. */
async function confirmed<Suspect>(
  suspects: readonly Suspect[],
  { clock, patienceMs, signal }: Waiting,
  stillSo: (suspects: readonly Suspect[]) => Promise<readonly Suspect[]>,
): Promise<readonly Suspect[]> {
  const startedMs = clock.monotonicMs();
  let left = suspects;
  while (left.length > 0 && clock.monotonicMs() - startedMs < patienceMs) {
    await pause(clock, Math.min(LOOK_AGAIN_MS, patienceMs), signal);
    signal.throwIfAborted();
    left = await stillSo(left);
  }
  return left;
}

interface ActiveSubject extends Waiting {
  readonly queue: Pick<AuditQueue, 'unlocked'>;
}

/** A killed worker's jobs have no lock for some seconds; only jobs that no other worker takes over are broken. */
export async function checkActiveJobs({ queue, ...waiting }: ActiveSubject, tally: Tally): Promise<void> {
  const { active, jobs } = await queue.unlocked();
  tally.judged(active);
  const stuck = await confirmed(jobs, waiting, async (suspects) => {
    const now = new Set((await queue.unlocked()).jobs.map(identityOf));
    return suspects.filter((job) => now.has(identityOf(job)));
  });
  for (const job of stuck) tally.found(judgeUnlocked(job));
}

const identityOf = ({ queue, jobId, claim }: UnlockedJob): string => JSON.stringify([queue, jobId, claim]);

interface DeadLetterSubject extends Waiting {
  readonly queue: Pick<AuditQueue, 'deadLetters' | 'deadLetter'>;
  readonly records: Pick<AuditRecords, 'withoutFailureRow'>;
}

/** A worker puts a job that BullMQ itself failed back at once; only a job that stays failed is broken. */
export async function checkDeadLetters(subject: DeadLetterSubject, tally: Tally): Promise<void> {
  const { queue, signal } = subject;
  const unlogged = createRowFinder(subject, tally);
  const suspects: AuditedDeadLetter[] = [];
  for (let after: AuditedDeadLetter | null = null; ;) {
    signal.throwIfAborted();
    const page: readonly AuditedDeadLetter[] = await queue.deadLetters(after, PAGE_DEAD_LETTERS);
    const last = page.at(-1);
    if (last === undefined) break;
    after = last;
    tally.judged(page.length);
    const readable = page.filter(({ isReadable }) => isReadable);
    suspects.push(...page.filter(({ isReadable }) => !isReadable));
    for (const job of await unlogged(readable)) tally.found(judgeUnlogged(job));
  }
  const stay = await confirmed(suspects, subject, async (before) => {
    const now = await Promise.all(before.map(({ jobId }) => queue.deadLetter(jobId)));
    return now.filter((job) => job !== undefined).filter(({ isReadable }) => !isReadable);
  });
  for (const job of stay) {
    const finding = judgeReason(job);
    if (finding !== undefined) tally.found(finding);
  }
}

/** While the database is unavailable the reasons can still be judged, but the result is not complete. */
function createRowFinder({ records, signal }: DeadLetterSubject, tally: Tally) {
  let isUnavailable = false;
  return async (jobs: readonly JobOfGame[]): Promise<readonly JobOfGame[]> => {
    if (isUnavailable || jobs.length === 0) return [];
    try {
      return await records.withoutFailureRow(jobs);
    } catch (error) {
      signal.throwIfAborted();
      isUnavailable = true;
      tally.markUnknown(messageOf(error));
      return [];
    }
  };
}
