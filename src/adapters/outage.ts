/**
 * How an outage of a networked store looks, independent of the library that reports it. Adapters must not import each
 * other, but they use the same sockets and, three of them, the same PostgreSQL driver, so this file serves all of them.
 */
import { tlsFailure } from './tls-failure.js';

/** SQLSTATE classes: connection, resources, the server's shutdown and start, I/O trouble. */
const OUTAGE_CLASSES = ['08', '53', '57P', '58'];

/** A write at a standby, or where transactions are read-only by a setting. */
export const READ_ONLY_STATE = '25006';

/** The same statement may succeed when it is repeated. */
const OUTAGE_STATES = new Set([
  '40001', // serialization failure
  '40P01', // deadlock
  '55P03', // lock timeout
  '57014', // statement timeout, cancellation
  '25P03', // idle in transaction for too long
  '25P04',
  '26000', // a prepared statement that another session has: a pooler has taken the server's place
  '42P05', // the same, found by the session that has it
  '28000', // refused login: the server is being set up, or its rules are
  '28P01',
  '3D000', // the database does not exist yet
]);

/** Node's codes for a connection that could not be made or did not last. */
const SOCKET_CODES = new Set([
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
  'EACCES', // the folder of a Unix socket, or the socket, is closed to this user
  'EAGAIN', // a Unix socket whose queue of new connections is full
  'EMFILE',
  'ENFILE',
  'ENOENT',
  'ENOTDIR',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

/** The PostgreSQL driver throws these without any code. */
const DRIVER_MESSAGES =
  /^(Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout|Client has encountered a connection error|Client was closed|The server does not support SSL|There was an error establishing an SSL connection|SASL: |Received unexpected|Cannot use a pool after calling end)/;

/** Whether a SQLSTATE means that the database is out of reach, shutting down or starting, or a standby after a failover. */
export function isServerAwayState(sqlState: string): boolean {
  return sqlState === READ_ONLY_STATE || OUTAGE_CLASSES.some((prefix) => sqlState.startsWith(prefix));
}

/** Whether a SQLSTATE means that the database cannot serve now, rather than that the request is wrong. */
export function isOutageState(sqlState: string): boolean {
  return OUTAGE_STATES.has(sqlState) || isServerAwayState(sqlState);
}

/** PostgreSQL's SQLSTATE when the role lacks a right. */
export const MISSING_RIGHT = '42501';

/** Whether an error is a socket's: its own code, one of TLS, or every one of several addresses that were tried. */
export function isSocketFailure(error: unknown): boolean {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.every(isSocketFailure);
  if (tlsFailure(error) !== undefined) return true;
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && SOCKET_CODES.has(error.code);
}

/** Whether a message is one of the PostgreSQL driver's about a connection that could not be had or did not last. */
export function isDriverOutage(message: string): boolean {
  return DRIVER_MESSAGES.test(message);
}
