import type { JobsOptions } from 'bullmq';
import { describe, expect, it } from 'vitest';
import {
  backoffStrategy,
  jobOptionsFor,
  overrideJobOptions,
  workerOptionsFor,
} from '../../../../../src/adapters/bullmq/store/job-options.js';

const overridden = (opts: object, deferredFailure?: string) => {
  const job = { opts: opts as JobsOptions, ...(deferredFailure !== undefined && { deferredFailure }) };
  const verdict = overrideJobOptions(job, 'redis');
  return { opts: job.opts, verdict, job };
};

describe('overrideJobOptions', () => {
  it('the options for retries and retention that a producer sets are replaced', () => {
    const { opts } = overridden({
      attempts: 1,
      backoff: { type: 'exponential', delay: 0.5 },
      removeOnFail: true,
      removeOnComplete: true,
      stackTraceLimit: 0,
      lifo: 'yes',
      priority: 3,
    });
    expect(opts).toEqual({
      attempts: 1_000_000,
      backoff: { type: 'runtime-cleanup' },
      removeOnFail: false,
      removeOnComplete: { count: 10_000, age: 86_400 },
      stackTraceLimit: 1,
      lifo: false,
      priority: 3,
    });
  });

  it('a valid trace context is kept, so that the producer’s trace goes on', () => {
    const metadata = JSON.stringify({ traceparent: '00-1-2-01', tracestate: 'a=b' });
    expect(overridden({ telemetry: { metadata, omitContext: false } }).opts.telemetry).toEqual({ metadata });
  });

  it.each(['not json', '5', 'null', '[]', '{}', '{"traceparent":7}', 7, {}, null, undefined])(
    'the trace context %j is removed, because it would end the worker',
    (metadata) => {
      expect(overridden({ telemetry: { metadata } }).opts.telemetry).toBeUndefined();
    },
  );

  it('a trace context keeps only its text fields', () => {
    const { opts } = overridden({ telemetry: { metadata: '{"traceparent":"00-1-2-01","baggage":{"a":1}}' } });
    expect(opts.telemetry).toEqual({ metadata: '{"traceparent":"00-1-2-01"}' });
  });

  it('BullMQ’s verdict is removed from the job and returned', () => {
    const { verdict, job } = overridden({}, 'child 7 failed');
    expect(verdict).toBe('child 7 failed');
    expect('deferredFailure' in job).toBe(false);
    expect(overridden({}).verdict).toBeUndefined();
  });
});

describe('BullMQ’s own retries', () => {
  it('the back-off is in whole milliseconds, grows, and stays at about a minute for every number of attempts', () => {
    for (const attempts of [0, 1, 2, 10, 1_000_000, -1, 1.5, Number.NaN]) {
      const delayMs = backoffStrategy(attempts);
      expect(Number.isInteger(delayMs)).toBe(true);
      expect(delayMs).toBeGreaterThanOrEqual(1_000);
      expect(delayMs).toBeLessThan(60_500);
    }
    expect(backoffStrategy(5)).toBeGreaterThanOrEqual(16_000);
  });

  it('the worker options set no limit for stalls and attempts', () => {
    const options = workerOptionsFor({ concurrency: 3, lockMs: 5_000, stallCheckMs: 1_000 });
    expect(options).toMatchObject({
      autorun: false,
      concurrency: 3,
      lockDuration: 5_000,
      stalledInterval: 1_000,
      maxStalledCount: 1_000_000,
      runRetryDelay: 1_000,
    });
    expect(options).not.toHaveProperty('maxStartedAttempts');
  });
});

describe('jobOptionsFor', () => {
  it.each([
    ['redis', { count: 10_000, age: 86_400 }],
    ['postgres', { age: 86_400 }],
  ] as const)('a job in %s is kept when it fails, and within limits when it completes', (kind, bounds) => {
    expect(jobOptionsFor(kind)).toEqual({ removeOnFail: false, removeOnComplete: bounds });
  });
});
