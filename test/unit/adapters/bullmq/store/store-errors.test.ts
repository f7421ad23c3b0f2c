import { describe, expect, it } from 'vitest';
import { isJobLost, isOutage, isTransient } from '../../../../../src/adapters/bullmq/store/store-errors.js';
import { UnavailableError } from '../../../../../src/domain/errors.js';

const withCode = (code: unknown, message = 'failed') => Object.assign(new Error(message), { code });

const outages: readonly (readonly [string, unknown])[] = [
  ['a refused connection', withCode('ECONNREFUSED')],
  ['a reset connection', withCode('ECONNRESET')],
  ['an unknown host', withCode('ENOTFOUND')],
  ['a refusal by each of several addresses', new AggregateError([withCode('ECONNREFUSED')], '')],
  ['an error that was classified already', new UnavailableError('queue', 'unavailable')],
  ['a shutdown of PostgreSQL', withCode('57P01')],
  ['a standby of PostgreSQL', withCode('25006')],
  ['an unknown certificate', withCode('DEPTH_ZERO_SELF_SIGNED_CERT')],
  ['a start of PostgreSQL', withCode('57P03')],
  ['the limit of connections', withCode('53300')],
  ['a broken PostgreSQL connection', new Error('Connection terminated unexpectedly')],
  ['a silent PostgreSQL', new Error('Query read timeout')],
  ['no PostgreSQL connection in time', new Error('timeout exceeded when trying to connect')],
  ['a closed Redis connection', new Error('Connection is closed.')],
  ['a silent Redis', new Error('Command timed out')],
  ['Redis without an offline queue', new Error("Stream isn't writeable and enableOfflineQueue options is false")],
  ['Redis loading its data', new Error('LOADING Redis is loading the dataset in memory')],
  ['a Redis that is a replica', new Error("READONLY You can't write against a read only replica.")],
  ['a Redis whose password was changed', new Error('WRONGPASS invalid username-password pair or user is disabled.')],
  ['a Redis whose rights were changed', new Error("NOPERM this user has no permissions to run the 'evalsha' command")],
  ['a Redis whose disk is full', new Error('MISCONF Redis is configured to save RDB snapshots')],
  ['a pipeline that the end of its connection cut off', new Error('Command aborted due to connection close')],
  ['a full Redis', new Error("OOM command not allowed when used memory > 'maxmemory'.")],
  ['a Redis Cluster that answers from no node', new Error('Failed to refresh slots cache.')],
  ['a Redis Cluster of which each node is unavailable', new Error('None of startup nodes is available')],
  ['a Redis Cluster that reconnects', new Error("Cluster isn't ready and enableOfflineQueue options is false")],
  [
    'a Redis Cluster that redirects for ever',
    new Error('Too many Cluster redirections. Last error: Error: MOVED 1 a:1'),
  ],
  ['sentinels that do not answer', new Error('All sentinels are unreachable. Retrying from scratch after 62ms.')],
  ['a master that became a replica', new Error('UNBLOCKED force unblock from blocking operation')],
  ['a right that was taken away', withCode('42501')],
];
const transients: readonly (readonly [string, unknown])[] = [
  ['a deadlock', withCode('40P01')],
  ['a serialization failure', withCode('40001')],
  ['a lock time-out', withCode('55P03')],
  ['a cancelled statement', withCode('57014')],
];
const neither: readonly (readonly [string, unknown])[] = [
  ['text that PostgreSQL refuses', withCode('22P05')],
  ['a lost lock', withCode(-6)],
  ['a bug', new TypeError('undefined is not a function')],
  ['a value that is not an error', 'ECONNREFUSED?'],
  ['undefined', undefined],
];

describe('what an error of the store means', () => {
  it.each(outages)('%s is an outage, and is transient', (_name, error) => {
    expect([isOutage(error), isTransient(error)]).toEqual([true, true]);
  });
  it.each(transients)('%s is transient, but is not an outage', (_name, error) => {
    expect([isOutage(error), isTransient(error)]).toEqual([false, true]);
  });
  it.each(neither)('%s is not transient', (_name, error) => {
    expect([isOutage(error), isTransient(error)]).toEqual([false, false]);
  });
  it.each([-1, -2, -3, -6])('BullMQ code %d means that the worker has lost the job', (code) => {
    expect(isJobLost(withCode(code))).toBe(true);
  });
  it.each([withCode(-4), withCode(-9), withCode('40P01'), new Error('x'), 'x'])(
    'another error does not mean that the worker has lost the job: %s',
    (error) => {
      expect(isJobLost(error)).toBe(false);
    },
  );
});
