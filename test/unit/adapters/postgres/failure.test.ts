import { DatabaseError } from 'pg';
import { describe, expect, test } from 'vitest';
import { isOutage, withUnavailable } from '../../../../src/adapters/postgres/failure.js';
import { UnavailableError } from '../../../../src/domain/errors.js';

const databaseError = (code: string): DatabaseError => {
  const error = new DatabaseError(`error ${code}`, 0, 'error');
  error.code = code;
  return error;
};
const nodeError = (code: string): Error => Object.assign(new Error(`connect ${code}`), { code });

const outages: readonly (readonly [string, unknown])[] = [
  ['a broken connection', databaseError('08006')],
  ['the limit of connections', databaseError('53300')],
  ['a full disk', databaseError('53100')],
  ['a server that shuts down', databaseError('57P01')],
  ['a server that starts', databaseError('57P03')],
  ['an idle session that was ended', databaseError('57P05')],
  ["a failure of the server's files", databaseError('58030')],
  ['a statement over its time limit', databaseError('57014')],
  ['a lock over its time limit', databaseError('55P03')],
  ['a transaction that was idle for too long', databaseError('25P03')],
  ['a standby', databaseError('25006')],
  ['a serialization failure', databaseError('40001')],
  ['a deadlock', databaseError('40P01')],
  ['a wrong password', databaseError('28P01')],
  ['a missing database', databaseError('3D000')],
  ['no listener', nodeError('ECONNREFUSED')],
  ['a reset connection', nodeError('ECONNRESET')],
  ['an unknown host', nodeError('ENOTFOUND')],
  ['a Unix socket that is closed to this user', nodeError('EACCES')],
  ['a Unix socket with a full queue', nodeError('EAGAIN')],
  ['a missing socket', nodeError('ENOENT')],
  ['an outage of our own', new UnavailableError('postgresql', 'why')],
  ['an unknown certificate', nodeError('DEPTH_ZERO_SELF_SIGNED_CERT')],
  ['an answer during the TLS handshake', new Error('There was an error establishing an SSL connection')],
  ['an unfinished login', new Error('SASL: Last message was not SASLContinue')],
  ['a broken protocol', new Error('Received unexpected rowDescription message from backend.')],
  ['no listener on any address', new AggregateError([nodeError('ECONNREFUSED'), nodeError('ECONNREFUSED')])],
  ['a lost connection', new Error('Connection terminated unexpectedly')],
  ['no connection in time', new Error('Connection terminated due to connection timeout')],
  ['an exhausted pool', new Error('timeout exceeded when trying to connect')],
  ['no answer in time', new Error('Query read timeout')],
  ['an unusable client', new Error('Client has encountered a connection error and is not queryable')],
  ['a closed pool', new Error('Cannot use a pool after calling end on the pool')],
];

const bugs: readonly (readonly [string, unknown])[] = [
  ['a missing table', databaseError('42P01')],
  ['a missing right', databaseError('42501')],
  ['a duplicate value', databaseError('23505')],
  ['a failed check', databaseError('23514')],
  ['a refused change of the log', databaseError('23001')],
  ['an invalid text', databaseError('22021')],
  ['a syntax error', databaseError('42601')],
  ['an internal error', databaseError('XX000')],
  ['a missing method', new TypeError('x is not a function')],
  ['an error that only mentions a timeout', new Error('the answer said: Query read timeout')],
  ['a bug among several errors', new AggregateError([nodeError('ECONNREFUSED'), new Error('bug')])],
  ['an empty list of errors', new AggregateError([])],
  ['a thrown text', 'ECONNREFUSED'],
  ['undefined', undefined],
];

describe('isOutage', () => {
  test.each(outages)('%s is an outage', (_what, error) => expect(isOutage(error)).toBe(true));
  test.each(bugs)('%s is a bug', (_what, error) => expect(isOutage(error)).toBe(false));
});

describe('withUnavailable', () => {
  test('an answer is passed through', async () => {
    expect(await withUnavailable(async () => 5)).toBe(5);
  });

  test('an outage becomes an UnavailableError with its cause', async () => {
    const cause = nodeError('ECONNREFUSED');
    await expect(withUnavailable(() => Promise.reject(cause))).rejects.toMatchObject({
      name: 'UnavailableError',
      dependency: 'postgresql',
      message: 'PostgreSQL is not available: connect ECONNREFUSED',
      cause,
    });
  });

  test('an outage names every address that was tried', async () => {
    const cause = new AggregateError([nodeError('ECONNREFUSED'), nodeError('ETIMEDOUT')]);
    await expect(withUnavailable(() => Promise.reject(cause))).rejects.toThrow(
      'connect ECONNREFUSED; connect ETIMEDOUT',
    );
  });

  test('a bug and an UnavailableError are passed on unchanged', async () => {
    for (const error of [new TypeError('bug'), new UnavailableError('postgresql', 'gone')]) {
      await expect(withUnavailable(() => Promise.reject(error))).rejects.toBe(error);
    }
  });
});
