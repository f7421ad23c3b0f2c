/** Jobs that nobody works on, and dead letters that do not say why. */
import { type Clock, pause } from '../async/clock.js';
import { messageOf } from '../domain/errors.js';
import { judgeReason, judgeUnlocked, judgeUnlogged } from './judge-invariants.js';
import type { AuditedDeadLetter, AuditQueue, AuditRecords, JobOfGame, UnlockedJob } from './audit-ports.js';
import type { Tally } from './audit-report.js';

const PAGE_DEAD_LETTERS = 500;
const LOOK_AGAIN_MS = 1_000;

interface Waiting {
  readonly clock: Clock;
  /** How long what workers mend by themselves may take. */
  readonly patienceMs: number;
  readonly signal: AbortSignal;
}

/** Looks again and again, until all suspects have cleared themselves or the patience is over; resolves to the rest. */
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

/** A killed worker's jobs stand without a lock for some seconds; only those that no other worker takes over are broken. */
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

/** What BullMQ itself failed is put back by a worker at once; only what stays is broken. */
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

/** With the database away the reasons can be judged all the same, but nobody may say that all is well. */
function createRowFinder({ records, signal }: DeadLetterSubject, tally: Tally) {
  let isAway = false;
  return async (jobs: readonly JobOfGame[]): Promise<readonly JobOfGame[]> => {
    if (isAway || jobs.length === 0) return [];
    try {
      return await records.withoutFailureRow(jobs);
    } catch (error) {
      signal.throwIfAborted();
      isAway = true;
      tally.cannotTell(messageOf(error));
      return [];
    }
  };
}
