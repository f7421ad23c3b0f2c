/**
 * What an error of the queue's store means. BullMQ passes on whatever ioredis, pg or a socket threw, so they are told
 * apart by code and, where a library gives none, by its words.
 */
import { messageOf, UnavailableError } from '../../domain/errors.js';

const SOCKET_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
]);

// 08 connection lost, 53 out of resources, 57P shutting down or starting.
const PG_OUTAGE = /^(?:08|53|57P)/;
// 40 deadlock or serialization, 55P03 lock timeout, 57014 cancelled, 25P03 idle in transaction.
const PG_MOMENT = /^(?:40|55P03$|57014$|25P03$)/;

const OUTAGE_WORDS = [
  /^Connection is closed/,
  /^Connection terminated/,
  /^Command timed out/,
  /^Stream isn't writeable/,
  /^Reached the max retries per request/,
  /^(?:LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY|OOM) /,
  /^Query read timeout/,
  /^timeout exceeded when trying to connect/,
  /^timeout expired/,
  /^Client has encountered a connection error/,
  /^Client was closed/,
  /^Cannot use a pool after calling end/,
  /^connect ECONNREFUSED/,
];

const codeOf = (thrown: unknown): string =>
  thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : '';

/** The store is out of reach or says that it cannot serve now. */
export function isOutage(thrown: unknown): boolean {
  if (thrown instanceof UnavailableError) return true;
  if (thrown instanceof AggregateError && thrown.errors.some(isOutage)) return true;
  const code = codeOf(thrown);
  if (SOCKET_CODES.has(code) || PG_OUTAGE.test(code)) return true;
  const message = messageOf(thrown);
  return OUTAGE_WORDS.some((words) => words.test(message));
}

/** The same request may succeed a moment later: an outage, or a deadlock, timeout or cancellation inside the store. */
export function isPassing(thrown: unknown): boolean {
  return isOutage(thrown) || PG_MOMENT.test(codeOf(thrown));
}

// BullMQ's codes: job missing, lock missing, not active (any more), locked by somebody else.
const NOT_OURS = new Set<unknown>([-1, -2, -3, -6]);

/** A write about a job was refused because the job is gone, settled already, or held by another worker. */
export function isNotOurs(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && NOT_OURS.has(thrown.code);
}
