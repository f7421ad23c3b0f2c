import { cursorOf, positionOf } from '../../../src/adapters/bullmq/dead-letters/cursor.js';
import type { FailedPosition } from '../../../src/adapters/bullmq/store/failed-set.js';
import type { FailureCode } from '../../../src/domain/error-codes.js';
import { pageOf, requireLimit } from '../../../src/domain/pages.js';
import type {
  BulkOptions,
  BulkTally,
  DeadLetter,
  DeadLetterFilter,
  DeadLetters,
  PurgeAnswer,
  ReplayAnswer,
} from '../../../src/jobs/dead-letters.js';
import { shownReason } from '../../../src/jobs/failure-reason.js';
import type { DeadLetterGames, DeadLetterOf } from '../../../src/retention/ports.js';
import { type FakeJob, isLive, jobText, type PlatformState } from './state.js';

export function createFakeDeadLetters(state: PlatformState): DeadLetters & DeadLetterGames {
  /** Newest failure first. */
  const failed = (): readonly FakeJob[] =>
    [...state.jobs.values()]
      .filter((job) => job.state === 'failed')
      .sort((a, b) => newestFirst(positionIn(a), positionIn(b)));
  const chosen = (filter: DeadLetterFilter): readonly FakeJob[] => failed().filter((job) => matches(filter, job));

  async function replay(jobId: string): Promise<ReplayAnswer> {
    const job = state.jobs.get(jobId);
    if (job?.state !== 'failed') return notFailed(job);
    const key = [...state.jobs.values()].some((other) => other.key === job.key && isLive(other)) ? null : job.key;
    state.setJob({ ...job, key, state: 'waiting', startedAt: null, finishedAt: null, ending: null, tries: 0 });
    return { status: 'replayed' };
  }

  async function purge(jobId: string): Promise<PurgeAnswer> {
    const job = state.jobs.get(jobId);
    if (job?.state !== 'failed') return notFailed(job);
    state.removeJob(jobId);
    return { status: 'purged' };
  }

  async function bulk(
    filter: DeadLetterFilter,
    { onProgress, signal }: BulkOptions,
    one: (jobId: string) => Promise<ReplayAnswer | PurgeAnswer>,
  ): Promise<BulkTally> {
    const jobs = chosen(filter);
    const tally = { done: 0, skipped: 0 };
    if (failed().length > 0) onProgress?.({ done: 0, total: jobs.length });
    for (const { jobId } of jobs) {
      signal.throwIfAborted();
      const { status } = await one(jobId);
      if (status === 'replayed' || status === 'purged') tally.done += 1;
      else tally.skipped += 1;
      onProgress?.({ done: tally.done + tally.skipped, total: jobs.length });
    }
    return tally;
  }

  return {
    list: async (query) => {
      requireLimit(query.limit);
      const after = positionOf(query.after);
      const rest = chosen(query).filter((job) => after === null || newestFirst(positionIn(job), after) > 0);
      const { items, next } = pageOf(rest, query.limit, (job) => cursorOf(positionIn(job)));
      return { items: items.map(deadLetterOf), next };
    },
    find: async (jobId) => {
      const job = state.jobs.get(jobId);
      if (job?.state !== 'failed') return undefined;
      const { attempts, pastLives } = job.history;
      return { ...deadLetterOf(job), jobName: job.name, payload: job.data, attempts, pastLives };
    },
    countByCode: async () => {
      const counts: Partial<Record<FailureCode, number>> = {};
      for (const { code } of failed().map(deadLetterOf)) counts[code] = (counts[code] ?? 0) + 1;
      return counts;
    },
    among: async (gameIds) => {
      const wanted = gameIds === 'all' ? undefined : new Set(gameIds.map((id) => id.trim()));
      const games = new Map<string, DeadLetterOf>();
      for (const { jobId, gameId, code } of failed().map(deadLetterOf)) {
        const id = gameId.trim();
        if (!games.has(id) && wanted?.has(id) !== false) games.set(id, { jobId, code });
      }
      return games;
    },
    replay,
    purge,
    replayAll: (filter, options) => bulk(filter, options, replay),
    purgeAll: (filter, options) => bulk(filter, options, purge),
    close: async () => undefined,
  };
}

const failedAtOf = ({ finishedAt, enqueuedAt }: FakeJob): Date => finishedAt ?? enqueuedAt;
const positionIn = (job: FakeJob): FailedPosition => ({ failedAtMs: failedAtOf(job).getTime(), jobId: job.jobId });
const newestFirst = (a: FailedPosition, b: FailedPosition): number =>
  b.failedAtMs - a.failedAtMs || Buffer.compare(Buffer.from(b.jobId), Buffer.from(a.jobId));
const reasonOf = ({ ending }: FakeJob): string => (ending?.state === 'failed' ? ending.reason : '');

const notFailed = (job: FakeJob | undefined) =>
  job === undefined ? ({ status: 'missing' } as const) : ({ status: 'live', state: job.state } as const);

const deadLetterOf = (job: FakeJob): DeadLetter => ({
  jobId: job.jobId,
  gameId: jobText(job, 'gameId'),
  opSource: jobText(job, 'opSource'),
  sourceRef: jobText(job, 'sourceRef'),
  ...shownReason(reasonOf(job)),
  failedAt: failedAtOf(job),
  enqueuedAt: job.enqueuedAt,
  replays: job.history.pastLives.length,
});

function matches({ code, gameId, failedBefore }: DeadLetterFilter, job: FakeJob): boolean {
  if (failedBefore !== undefined && failedAtOf(job) >= failedBefore) return false;
  if (code !== undefined && shownReason(reasonOf(job)).code !== code) return false;
  return gameId === undefined || jobText(job, 'gameId').trim() === gameId.trim();
}
