/**
 * What an error of the queue's store means. BullMQ passes on the errors of ioredis, pg and sockets unchanged, so they are
 * classified by code or, where a library sets no code, by message.
 */
import { messageOf, UnavailableError, TimeoutError } from '../../../domain/errors.js';
import { isDriverOutage, isOutageState, isServerAwayState, isSocketFailure, MISSING_RIGHT } from '../../outage.js';
import { redisOutageCode } from '../../redis-replies.js';
import type { Clock } from '../../../async/clock.js';
import { withDeadline } from '../../../async/deadline.js';

/** Messages of ioredis, which have no code. */
const IOREDIS_OUTAGE =
  /^(?:Connection is closed|Command (?:timed out|aborted)|Stream isn't writeable|Reached the max retries per request|Socket timeout)/;

/** Messages of ioredis about a cluster, or about sentinels, without a node that serves the request. */
const REDIS_NODES_OUTAGE =
  /^(?:Failed to refresh slots cache|None of startup nodes|Cluster is(?:n't ready| ended| disconnect)|Too many Cluster redirections|All sentinels are unreachable|(?:MOVED|ASK|UNBLOCKED) )/;

const codeOf = (thrown: unknown): string =>
  thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : '';

/** The store's role lacks a right. */
export const isMissingRight = (thrown: unknown): boolean => codeOf(thrown) === MISSING_RIGHT;

/** The store is out of reach or answers that it cannot serve now; also while a right of its role was taken away. */
export function isOutage(thrown: unknown): boolean {
  if (thrown instanceof UnavailableError || isSocketFailure(thrown) || isServerAwayState(codeOf(thrown))) return true;
  if (isMissingRight(thrown)) return true;
  const message = messageOf(thrown);
  const messages = [IOREDIS_OUTAGE, REDIS_NODES_OUTAGE];
  return (
    isDriverOutage(message) || redisOutageCode(message) !== undefined || messages.some((text) => text.test(message))
  );
}

/** The same request may succeed a moment later: an outage, or a deadlock, timeout or cancellation inside the store. */
export function isTransient(thrown: unknown): boolean {
  return isOutage(thrown) || isOutageState(codeOf(thrown));
}

// BullMQ's codes: job missing, lock missing, not active, locked by another worker.
const JOB_LOST = new Set<unknown>([-1, -2, -3, -6]);

/** A write to a job was refused because the job is gone, has an outcome already, or is held by another worker. */
export function isJobLost(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && JOB_LOST.has(thrown.code);
}

/** Settles as the promise does, or rejects with a `TimeoutError` of the queue after `limitMs`; see `withDeadline`. */
export function within<T>(clock: Clock, limitMs: number, promise: Promise<T>): Promise<T> {
  const late = () => new TimeoutError("the queue's store did not answer", limitMs, { dependency: 'queue' });
  return withDeadline({ clock, limitMs, late }, () => promise);
}
