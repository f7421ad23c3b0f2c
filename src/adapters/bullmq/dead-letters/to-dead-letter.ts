import { isObject } from '../../../domain/json.js';
import type { DeadLetter, DeadLetterFilter, DeadLetterStory } from '../../../jobs/dead-letters.js';
import { readHistory } from '../../../jobs/attempt-history.js';
import { shownReason } from '../../../jobs/failure-reason.js';
import type { FailedEntry, FailedJob } from '../store/failed-set.js';

/** A text of the job's data, or the empty string. */
export function textIn(data: unknown, name: 'gameId' | 'opSource' | 'sourceRef'): string {
  const value = isObject(data) ? data[name] : undefined;
  return typeof value === 'string' ? value : '';
}

export function deadLetterOf(job: FailedEntry): DeadLetter {
  return {
    jobId: job.jobId,
    gameId: textIn(job.data, 'gameId'),
    opSource: textIn(job.data, 'opSource'),
    sourceRef: textIn(job.data, 'sourceRef'),
    ...shownReason(job.reason),
    failedAt: new Date(job.failedAtMs),
    enqueuedAt: new Date(job.addedAtMs),
    replays: readHistory(job.progress).pastLives.length,
  };
}

export function storyOf(job: FailedJob): DeadLetterStory {
  const { attempts, pastLives } = readHistory(job.progress);
  return { ...deadLetterOf(job), jobName: job.jobName, payload: job.data, attempts, pastLives };
}

export const isFilter = ({ code, gameId, failedBefore }: DeadLetterFilter): boolean =>
  code !== undefined || gameId !== undefined || failedBefore !== undefined;

export function matches({ code, gameId, failedBefore }: DeadLetterFilter, job: FailedEntry): boolean {
  if (failedBefore !== undefined && job.failedAtMs >= failedBefore.getTime()) return false;
  if (code !== undefined && shownReason(job.reason).code !== code) return false;
  return gameId === undefined || textIn(job.data, 'gameId').trim() === gameId.trim();
}
