import { beforeEach, describe, expect, it } from 'vitest';
import { guardClaims } from '../../../../../src/adapters/bullmq/patches/guard-claims.js';
import type { JobWorker } from '../../../../../src/adapters/bullmq/store/queue-store.js';
import { LibraryChangedError } from '../../../../../src/domain/errors.js';
import { unconnectedWorker } from './unconnected-worker.js';

interface Hooks {
  readonly nextJobFromJobData: (data: unknown, jobId: string, token: string) => Promise<{ id?: string } | undefined>;
}

describe('guardClaims', () => {
  let worker: JobWorker;
  let errors: string[];

  beforeEach(() => {
    errors = [];
    worker = unconnectedWorker();
    worker.on('error', ({ message }) => errors.push(message));
  });

  const claim = (repeat: unknown) => {
    const data = {
      name: 'cleanup_container',
      data: '{}',
      opts: JSON.stringify({ repeat }),
      repeatJobKey: 'no-such-scheduler',
    };
    // The cast: the method is protected.
    return (worker as unknown as Hooks).nextJobFromJobData({ ...data, timestamp: '1', delay: '0' }, 'job-1', 'token');
  };

  it('BullMQ without the patch drops a claimed job whose schedule is unusable', async () => {
    expect(await claim(undefined)).toBeUndefined();
    expect(errors.join()).toMatch(/Failed to add repeatable job for next iteration/);
  });

  it.each([
    ['no schedule', undefined],
    ['a schedule that is not an object', 'daily'],
    ['a schedule with interval and pattern', { every: 5, pattern: '* * * * *' }],
    ['a pattern that is not a cron expression', { pattern: 'no cron at all' }],
    ['a time zone that does not exist', { pattern: '0 * * * *', tz: 'Nowhere/City' }],
  ])('the patched worker gets a claimed job with %s', async (_what, repeat) => {
    guardClaims(worker);
    expect(await claim(repeat)).toMatchObject({ id: 'job-1', name: 'cleanup_container' });
  });

  it.each(['createJob', 'nextJobFromJobData'])('the patch refuses a library whose worker has no %s', (member) => {
    Object.assign(worker, { [member]: undefined });
    expect(() => guardClaims(worker)).toThrow(LibraryChangedError);
  });
});
