import { messageOf, UnavailableError } from '../../domain/errors.js';
import { Prisma } from '../../generated/prisma/client.js';

/** `unavailable`: the database cannot serve now, or a repetition may well pass. Everything else is a bug. */
export type DatabaseFailure = 'unavailable' | 'bug';

/** SQLSTATE classes: connection, resources, the server's shutdown and start, I/O trouble. */
const UNAVAILABLE_CLASSES = ['08', '53', '57P', '58'];
/** Serialization, deadlock, time limits, a read-only standby, refused or missing logins and databases. */
const UNAVAILABLE_STATES = new Set('40001 40P01 55P03 57014 25006 25P03 25P04 28000 28P01 3D000'.split(' '));
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
const UNAVAILABLE_CODES = new Set('P1000 P1001 P1002 P1003 P1008 P1010 P1011 P1017 P2024 P2028 P2034 P2037'.split(' '));
const NODE_CODES = new Set(
  (
    'ECONNREFUSED ECONNRESET ECONNABORTED ETIMEDOUT EPIPE EHOSTUNREACH EHOSTDOWN ENETUNREACH ENETDOWN EADDRNOTAVAIL ' +
    'EMFILE ENFILE ENOENT ENOTFOUND EAI_AGAIN'
  ).split(' '),
);
/** pg throws these without any code, and the driver adapter passes them on as they are. */
const DRIVER_MESSAGES =
  /^(Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout|Client has encountered a connection error|Client was closed|Cannot use a pool after calling end)/;

/** What the driver adapter says of the database's error; neither Prisma's class nor its code tells outage from bug. */
interface AdapterCause {
  readonly kind?: unknown;
  readonly originalCode?: unknown;
  readonly originalMessage?: unknown;
  readonly code?: unknown;
}

export function classifyFailure(error: unknown): DatabaseFailure {
  if (error instanceof Prisma.PrismaClientKnownRequestError) return classifyKnown(error);
  if (error instanceof Prisma.PrismaClientInitializationError) return 'unavailable';
  if (!(error instanceof Error) || error instanceof Prisma.PrismaClientValidationError) return 'bug';
  if (error instanceof AggregateError && error.errors.length > 0) {
    return error.errors.every((one) => classifyFailure(one) === 'unavailable') ? 'unavailable' : 'bug';
  }
  if ('code' in error && typeof error.code === 'string' && NODE_CODES.has(error.code)) return 'unavailable';
  return DRIVER_MESSAGES.test(lastLine(error.message)) ? 'unavailable' : 'bug';
}

/** Runs `work`; what it throws because the database cannot serve becomes an `UnavailableError`. */
export async function withUnavailable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (classifyFailure(error) === 'bug') throw error;
    throw new UnavailableError('postgresql', `PostgreSQL is not available: ${reason(error)}`, { cause: error });
  }
}

function classifyKnown(error: Prisma.PrismaClientKnownRequestError): DatabaseFailure {
  if (UNAVAILABLE_CODES.has(error.code)) return 'unavailable';
  const { kind, originalCode, code } = adapterCause(error);
  if (typeof kind === 'string' && UNAVAILABLE_KINDS.has(kind)) return 'unavailable';
  const sqlState = originalCode ?? code;
  if (typeof sqlState !== 'string') return 'bug';
  const unavailable =
    UNAVAILABLE_STATES.has(sqlState) || UNAVAILABLE_CLASSES.some((prefix) => sqlState.startsWith(prefix));
  return unavailable ? 'unavailable' : 'bug';
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
  return text.trim().split('\n').at(-1) ?? '';
}
