import { describe, expect, test } from 'vitest';
import { classifyFailure, withUnavailable } from '../../../../src/adapters/prisma/failure.js';
import { UnavailableError } from '../../../../src/domain/errors.js';
import { Prisma } from '../../../../src/generated/prisma/client.js';

/** An error as Prisma throws it; `cause` is what its driver adapter made of the database's own. */
const known = (code: string, cause?: Readonly<Record<string, string>>): Error =>
  new Prisma.PrismaClientKnownRequestError(`\nInvalid \`prisma.x()\` invocation:\n\n\nheading of ${code}`, {
    code,
    clientVersion: '7',
    ...(cause === undefined ? {} : { meta: { driverAdapterError: { name: 'DriverAdapterError', cause } } }),
  });
const postgres = (prismaCode: string, originalCode: string): Error =>
  known(prismaCode, { kind: 'postgres', originalCode, originalMessage: `words of ${originalCode}` });

const unavailable: readonly (readonly [string, unknown])[] = [
  ['a refused connection in a model call', known('P1001', { kind: 'DatabaseNotReachable' })],
  ['a refused connection in raw SQL', known('P2010', { kind: 'DatabaseNotReachable' })],
  ['a wrong password', known('P1000', { kind: 'AuthenticationFailed', originalCode: '28P01' })],
  ['a missing database', known('P1003', { kind: 'DatabaseDoesNotExist', originalCode: '3D000' })],
  ['the limit of connections in raw SQL', known('P2010', { kind: 'TooManyConnections', originalCode: '53300' })],
  ['a reset connection in raw SQL', known('P2010', { kind: 'ConnectionClosed' })],
  ['a server that shuts down in a model call', postgres('P2039', '57P01')],
  ['a server that starts in raw SQL', postgres('P2010', '57P03')],
  ['a full disk', postgres('P2010', '53100')],
  ['a statement over its time limit', postgres('P2039', '57014')],
  ['a lock over its time limit', postgres('P2010', '55P03')],
  ['a standby', postgres('P2010', '25006')],
  ['a deadlock in a model call', known('P2034')],
  ['a deadlock in raw SQL', known('P2010', { kind: 'TransactionWriteConflict', originalCode: '40P01' })],
  ['a serialization failure', known('P2010', { kind: 'TransactionWriteConflict', originalCode: '40001' })],
  ['a transaction over its time limit', known('P2028')],
  ['a certificate that the driver adapter knows', known('P1011', { kind: 'TlsConnectionError' })],
  ['a failure of TLS that Prisma does not know', known('ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC')],
  ['a failure of a socket that Prisma does not know', known('EHOSTUNREACH')],
  ['a connection that could not be made', known('service_unavailable')],
  ['an outage of our own', new UnavailableError('postgresql', 'PostgreSQL is not available: why')],
  ['a client that cannot start', new Prisma.PrismaClientInitializationError('no', '7')],
  ['a lost connection', new Error('Connection terminated unexpectedly')],
  [
    'an exhausted pool in the words of Prisma',
    new Error('\nInvalid invocation:\n\n\ntimeout exceeded when trying to connect'),
  ],
  ['no answer in time', new Error('Query read timeout')],
  ['no listener', Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })],
  ['no address that answers', new AggregateError([Object.assign(new Error('x'), { code: 'ECONNREFUSED' })])],
];

const bugs: readonly (readonly [string, unknown])[] = [
  ['a missing table', known('P2021', { kind: 'TableDoesNotExist', originalCode: '42P01' })],
  ['a missing column in raw SQL', known('P2010', { kind: 'ColumnNotFound', originalCode: '42703' })],
  ['a duplicate value', known('P2002', { kind: 'UniqueConstraintViolation', originalCode: '23505' })],
  ['a failed check', postgres('P2039', '23514')],
  ['a missing row', known('P2025')],
  ['a wrong argument', new Prisma.PrismaClientValidationError('wrong', { clientVersion: '7' })],
  [
    'a wrong argument that mentions a timeout',
    new Prisma.PrismaClientValidationError('Query read timeout', { clientVersion: '7' }),
  ],
  ['an unknown error', new Error('something else')],
  ['a thrown text', 'Query read timeout'],
];

describe('classifyFailure', () => {
  test.each(unavailable)('%s means that the database is unavailable', (_what, error) => {
    expect(classifyFailure(error)).toBe('unavailable');
  });
  test.each(bugs)('%s is a bug', (_what, error) => expect(classifyFailure(error)).toBe('bug'));
});

describe('withUnavailable', () => {
  test("an outage contains the database's message in one line, without Prisma's heading", async () => {
    const said = (thrown: Error) =>
      withUnavailable(async () => {
        throw thrown;
      });
    await expect(said(postgres('P2010', '57P01'))).rejects.toThrow(/^PostgreSQL is not available: words of 57P01$/);
    await expect(said(known('P2010', { kind: 'ConnectionClosed' }))).rejects.toThrow(/^[^\n]*\(ConnectionClosed\)$/);
  });

  test('an outage contains no text that Prisma wraps around a raw query', async () => {
    const wrapped = 'Raw query failed. Code: `N/A`. Message: `Server has closed the connection.`';
    const error = new Prisma.PrismaClientKnownRequestError(`\nInvalid invocation:\n\n\n${wrapped}`, {
      code: 'P2010',
      clientVersion: '7',
      meta: { driverAdapterError: { cause: { kind: 'ConnectionClosed' } } },
    });
    await expect(withUnavailable(() => Promise.reject(error))).rejects.toThrow(
      /^PostgreSQL is not available: Server has closed the connection\. \(ConnectionClosed\)$/,
    );
  });

  test("a refused statement contains the database's message and the SQLSTATE", async () => {
    const bug = postgres('P2010', '23514');
    await expect(withUnavailable(() => Promise.reject(bug))).rejects.toMatchObject({
      name: 'StatementRefusedError',
      message: 'PostgreSQL refuses the statement: words of 23514 (SQLSTATE 23514)',
      sqlState: '23514',
      cause: bug,
    });
  });

  test('a missing right is not an answer that the database is unavailable, and names the file to run', async () => {
    const refused = postgres('P2010', '42501');
    await expect(withUnavailable(() => Promise.reject(refused))).rejects.toMatchObject({
      name: 'MissingRightError',
      message: 'words of 42501; run deploy/roles.sql, which grants it (docs/operations.md, "Roles")',
      code: 'service_unavailable',
      cause: refused,
    });
  });

  test('a bug of another kind is passed on unchanged', async () => {
    const bug = known('P2025');
    await expect(withUnavailable(() => Promise.reject(bug))).rejects.toBe(bug);
  });
});
