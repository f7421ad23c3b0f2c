/** Values of the domain as JSON, as the schemas of the answers have them. */
import { isFailureCode } from '../../../domain/error-codes.js';
import { removalOf } from '../../../domain/operation.js';
import { type RecordJson, recordToJson } from '../../../domain/result.js';
import type { RuntimeRecord } from '../../../domain/runtime-record.js';
import type { EngineRecord } from '../../../engines/engine-ports.js';
import type { DeadLetter, DeadLetterStory } from '../../../jobs/dead-letters.js';
import { shownReason } from '../../../jobs/failure-reason.js';
import type { JobResult, JobView } from '../../../jobs/ports.js';
import type { RetentionSummary } from '../../../retention/retention-service.js';
import { record as recordSchema } from './schemas.js';
import { refused } from './problem.js';
import type { LoggedOperation } from '../../../domain/record-queries.js';
import type { Judgement } from '../../../retention/judge-record.js';

/** Empty for an invalid `Date`: other programs write rows and jobs too, and PostgreSQL has times that JavaScript lacks. */
const isoText = (instant: Date): string => (Number.isNaN(instant.getTime()) ? '' : instant.toISOString());

const isoOrNull = (instant: Date | null | undefined): string | null =>
  instant === null || instant === undefined ? null : isoText(instant);

/** Data that any client of the queue stored. `JSON.parse` reads deeper nesting than `JSON.stringify` can write. */
function writable(value: unknown): unknown {
  try {
    return JSON.stringify(value) === undefined ? null : value;
  } catch {
    return '(not shown: nested too deep)';
  }
}

export function cleanupBody({ enqueuedAt, startedAt, finishedAt, nextTryAt, attempts, ending, ...job }: JobView) {
  return {
    ...job,
    enqueuedAt: isoText(enqueuedAt),
    startedAt: isoOrNull(startedAt),
    finishedAt: isoOrNull(finishedAt),
    nextTryAt: isoOrNull(nextTryAt),
    attempts: [...attempts],
    result: resultBody(ending),
    failure: ending?.state === 'failed' ? shownReason(ending.reason) : null,
  };
}

function resultBody(ended: JobResult | null) {
  if (ended?.state !== 'completed') return null;
  const { outcome, errorCode, errorMessage, record, removal } = ended.result;
  return {
    outcome,
    errorCode,
    errorMessage: errorMessage ?? '',
    record: storedRecord(record),
    removal: removalOf(removal),
  };
}

/** Null when the stored record does not fit: a worker of another version may have stored it, an older one no engine. */
const storedRecord = (stored: Partial<RecordJson> | null) =>
  stored === null
    ? null
    : recordSchema
        .nullable()
        .catch(null)
        .parse({ dockerHost: null, ...stored });

/** The record of a job that succeeded, and what the cleanup did; throws a `RequestRefusedError` for a job that failed. */
export function recordOf(ended: Exclude<JobResult, { readonly state: 'missing' }>) {
  if (ended.state === 'failed') {
    const { code, message } = shownReason(ended.reason);
    throw refused(code, message);
  }
  const { outcome, errorCode, errorMessage } = ended.result;
  if (outcome !== 'success') throw refused(isFailureCode(errorCode) ? errorCode : 'internal_error', errorMessage);
  const record = storedRecord(ended.result.record);
  if (record === null) throw refused('internal_error', 'the cleanup succeeded, but its result has no record');
  return { ...record, removal: removalOf(ended.result.removal) };
}

export const listedRecordBody = (found: RuntimeRecord, judgement: Judgement | undefined) => ({
  ...recordToJson(found),
  cleanup_due_at: isoOrNull(judgement?.dueAt),
});

export function judgedRecordBody(found: RuntimeRecord, judgement: Judgement) {
  const { verdict, stoppedSince, hold, deadLetter } = judgement;
  const retention = { verdict, stoppedSince: isoOrNull(stoppedSince), hold: holdBody(hold), deadLetter };
  return { ...listedRecordBody(found, judgement), retention };
}

/** Without the game id, which the object around it has. */
function holdBody(hold: Judgement['hold']) {
  return hold === null ? null : { reason: hold.reason, heldBy: hold.heldBy, heldUntil: isoOrNull(hold.heldUntil) };
}

export const operationBody = (row: LoggedOperation) => ({
  ...row,
  startedAt: isoText(row.startedAt),
  finishedAt: isoText(row.finishedAt),
});

const judgementBody = (judgement: Judgement) => ({
  ...judgement,
  stoppedSince: isoOrNull(judgement.stoppedSince),
  dueAt: isoOrNull(judgement.dueAt),
  hold: holdBody(judgement.hold),
});

export function planBody(asOf: Date, summary: RetentionSummary | null, judgements: readonly Judgement[]) {
  const items = judgements.map(judgementBody);
  return { asOf: isoText(asOf), summary: summary === null ? null : summaryBody(summary), items };
}

function summaryBody({ asOf: _asOf, lagMs, retentionMs, ...counts }: RetentionSummary) {
  return { ...counts, lagSeconds: lagMs / 1_000, retentionSeconds: retentionMs / 1_000 };
}

export const deadLetterBody = ({ failedAt, enqueuedAt, ...letter }: DeadLetter) => ({
  jobId: letter.jobId,
  gameId: letter.gameId,
  opSource: letter.opSource,
  sourceRef: letter.sourceRef,
  code: letter.code,
  message: letter.message,
  replays: letter.replays,
  failedAt: isoText(failedAt),
  enqueuedAt: isoText(enqueuedAt),
});

export function deadLetterStoryBody(found: DeadLetterStory) {
  const { jobName, payload, attempts, pastLives } = found;
  const lives = pastLives.map(({ reason, at, attempts: tries }) => ({ reason, at, attempts: [...tries] }));
  return { ...deadLetterBody(found), jobName, payload: writable(payload), attempts: [...attempts], pastLives: lives };
}

/** @param breakerOpen undefined: this process does not use the engine */
export const engineBody = (engine: EngineRecord, breakerOpen: boolean | undefined) => ({
  ...engine,
  observedAt: isoOrNull(engine.observedAt),
  firstSeenAt: isoText(engine.firstSeenAt),
  lastSeenAt: isoText(engine.lastSeenAt),
  acceptedAt: isoOrNull(engine.acceptedAt),
  ...(breakerOpen === undefined ? {} : { breakerOpen }),
});
