import { DatabaseError } from 'pg';

import { messageOf, UnavailableError } from '../../domain/errors.js';

/**
 * SQLSTATEs that say "not now": connection (08), resources (53), the server's own shutdown, start and I/O trouble (57P,
 * 58), and what a repetition may well survive: deadlock, serialization, time limits, a read-only standby after failover.
 */
const OUTAGE_CLASSES = ['08', '53', '57P', '58'];
const OUTAGE_STATES = new Set([
  '40001',
  '40P01',
  '55P03',
  '57014',
  '25006',
  '25P03',
  '25P04',
  '28000',
  '28P01',
  '3D000',
]);

const NODE_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'ETIMEDOUT',
  'EPIPE',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'EADDRNOTAVAIL',
  'EMFILE',
  'ENFILE',
  'ENOENT',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

/** pg throws these without any code. */
const DRIVER_MESSAGES =
  /^(Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout|Client has encountered a connection error|Client was closed|The server does not support SSL|Cannot use a pool after calling end)/;

/** Whether a SQLSTATE means that the database cannot serve now, rather than that the request is wrong. */
function isOutageState(sqlState: string): boolean {
  return OUTAGE_STATES.has(sqlState) || OUTAGE_CLASSES.some((prefix) => sqlState.startsWith(prefix));
}

/** Whether what pg threw means that the database is out of reach or cannot serve now. Anything else is a bug. */
export function isOutage(error: unknown): boolean {
  if (error instanceof DatabaseError) return isOutageState(error.code ?? '');
  if (error instanceof AggregateError) return error.errors.length > 0 && error.errors.every(isOutage);
  if (!(error instanceof Error)) return false;
  if ('code' in error && typeof error.code === 'string' && NODE_CODES.has(error.code)) return true;
  return DRIVER_MESSAGES.test(error.message);
}

/** Runs `work`; what it throws because the database cannot serve becomes an `UnavailableError`. */
export async function withUnavailable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UnavailableError || !isOutage(error)) throw error;
    throw new UnavailableError('postgresql', `PostgreSQL is not available: ${outageText(error)}`, { cause: error });
  }
}

/** Node reports a failed connection to several addresses with an empty message. */
function outageText(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ');
  return messageOf(error);
}
