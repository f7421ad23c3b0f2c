import { messageOf, MissingRightError, UnavailableError, StatementRefusedError } from '../../domain/errors.js';
import { Prisma } from '../../generated/prisma/client.js';
import { isDriverOutage, isOutageState, isSocketFailure, MISSING_RIGHT } from '../outage.js';

/** `unavailable`: the database cannot serve now, or a repetition may well pass. Everything else is a bug. */
export type DatabaseFailure = 'unavailable' | 'bug';

const UNAVAILABLE_KINDS = new Set([
  'DatabaseNotReachable',
  'ConnectionClosed',
  'SocketTimeout',
  'TooManyConnections',
  'TlsConnectionError',
  'AuthenticationFailed',
  'DatabaseDoesNotExist',
  'DatabaseAccessDenied',
  'TransactionWriteConflict',
]);
/** The last one is our own, from the making of a connection. */
const UNAVAILABLE_CODES = new Set(
  'P1000 P1001 P1002 P1003 P1008 P1010 P1011 P1017 P2024 P2028 P2034 P2037 service_unavailable'.split(' '),
);
const UNAVAILABLE = 'PostgreSQL is not available: ';

/** Prisma's wrapping of a raw query's failure. */
const RAW_QUERY_FAILED = /^Raw query failed\. Code: `[^`]*`\. Message: `(.+)`$/;

/** The driver adapter's description of the database's error; Prisma's class and code do not distinguish outage from bug. */
interface AdapterCause {
  readonly kind?: unknown;
  readonly originalCode?: unknown;
  readonly originalMessage?: unknown;
  readonly code?: unknown;
}

export function classifyFailure(error: unknown): DatabaseFailure {
  if (error instanceof Prisma.PrismaClientKnownRequestError) return classifyKnown(error);
  if (error instanceof Prisma.PrismaClientInitializationError || error instanceof UnavailableError)
    return 'unavailable';
  if (!(error instanceof Error) || error instanceof Prisma.PrismaClientValidationError) return 'bug';
  // The driver's own errors are passed on as they are.
  return isSocketFailure(error) || isDriverOutage(lastLine(error.message)) ? 'unavailable' : 'bug';
}

/**
 * Runs `work`; what it throws because the database cannot serve becomes an `UnavailableError`, and what the database
 * refuses for good a `StatementRefusedError`.
 */
export async function withUnavailable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UnavailableError) throw error;
    if (sqlStateOf(error) === MISSING_RIGHT) throw new MissingRightError('postgresql', reason(error), { cause: error });
    if (classifyFailure(error) === 'bug') throw refusalOf(error) ?? error;
    const why = reason(error);
    const message = why.startsWith(UNAVAILABLE) ? why : `${UNAVAILABLE}${why}`;
    throw new UnavailableError('postgresql', message, { cause: error });
  }
}

function refusalOf(error: unknown): StatementRefusedError | undefined {
  const sqlState = sqlStateOf(error);
  return sqlState === undefined ? undefined : new StatementRefusedError(sqlState, reason(error), { cause: error });
}

function classifyKnown(error: Prisma.PrismaClientKnownRequestError): DatabaseFailure {
  // Prisma makes an error of its own class of each error that has a code, those of sockets and TLS among them.
  if (UNAVAILABLE_CODES.has(error.code) || isSocketFailure(error)) return 'unavailable';
  const { kind } = adapterCause(error);
  if (typeof kind === 'string' && UNAVAILABLE_KINDS.has(kind)) return 'unavailable';
  return isOutageState(sqlStateOf(error) ?? '') ? 'unavailable' : 'bug';
}

/** The SQLSTATE that the database answered with; undefined if it gave no SQLSTATE. */
export function sqlStateOf(error: unknown): string | undefined {
  if (error instanceof StatementRefusedError) return error.sqlState;
  if (!(error instanceof Prisma.PrismaClientKnownRequestError)) return undefined;
  const { originalCode, code } = adapterCause(error);
  const sqlState = originalCode ?? code;
  return typeof sqlState === 'string' ? sqlState : undefined;
}

function adapterCause(error: Prisma.PrismaClientKnownRequestError): AdapterCause {
  const adapterError = error.meta?.['driverAdapterError'];
  if (typeof adapterError !== 'object' || adapterError === null || !('cause' in adapterError)) return {};
  return typeof adapterError.cause === 'object' && adapterError.cause !== null ? adapterError.cause : {};
}

/** The database's own words where there are any; Prisma puts a heading and blank lines before its own. */
function reason(error: unknown): string {
  if (error instanceof Prisma.PrismaClientKnownRequestError) {
    const { originalMessage, kind } = adapterCause(error);
    if (typeof originalMessage === 'string') return originalMessage;
    if (typeof kind === 'string') return `${lastLine(error.message)} (${kind})`;
  }
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ');
  return lastLine(messageOf(error));
}

function lastLine(text: string): string {
  const line = text.trim().split('\n').at(-1) ?? '';
  return RAW_QUERY_FAILED.exec(line)?.[1] ?? line;
}
