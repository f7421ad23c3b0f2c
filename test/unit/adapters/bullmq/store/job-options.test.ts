import type { JobsOptions } from 'bullmq';
import { describe, expect, it } from 'vitest';
import {
  backoffStrategy,
  jobOptionsFor,
  overrideJobOptions,
  workerOptionsFor,
} from '../../../../../src/adapters/bullmq/store/job-options.js';

const charged = (opts: object, deferredFailure?: string) => {
  const job = { opts: opts as JobsOptions, ...(deferredFailure !== undefined && { deferredFailure }) };
  const verdict = overrideJobOptions(job, 'redis');
  return { opts: job.opts, verdict, job };
};

describe('taking charge of a claimed job', () => {
  it('overrules whatever a producer has set about retries and keeping', () => {
    const { opts } = charged({
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

  it('keeps a trace context, so that the producer’s trace goes on', () => {
    const metadata = JSON.stringify({ traceparent: '00-1-2-01', tracestate: 'a=b' });
    expect(charged({ telemetry: { metadata, omitContext: false } }).opts.telemetry).toEqual({ metadata });
  });

  it.each(['not json', '5', 'null', '[]', '{}', '{"traceparent":7}', 7, {}, null, undefined])(
    'drops the trace context %j, which would end the worker',
    (metadata) => {
      expect(charged({ telemetry: { metadata } }).opts.telemetry).toBeUndefined();
    },
  );

  it('keeps only the texts of a trace context', () => {
    const { opts } = charged({ telemetry: { metadata: '{"traceparent":"00-1-2-01","baggage":{"a":1}}' } });
    expect(opts.telemetry).toEqual({ metadata: '{"traceparent":"00-1-2-01"}' });
  });

  it('takes BullMQ’s verdict off the job and hands it over', () => {
    const { verdict, job } = charged({}, 'child 7 failed');
    expect(verdict).toBe('child 7 failed');
    expect('deferredFailure' in job).toBe(false);
    expect(charged({}).verdict).toBeUndefined();
  });
});

describe('the worker’s own retries', () => {
  it('wait whole milliseconds, longer each time, a minute and a bit at most, whatever they are asked', () => {
    for (const attempts of [0, 1, 2, 10, 1_000_000, -1, 1.5, Number.NaN]) {
      const delayMs = backoffStrategy(attempts);
      expect(Number.isInteger(delayMs)).toBe(true);
      expect(delayMs).toBeGreaterThanOrEqual(1_000);
      expect(delayMs).toBeLessThan(60_500);
    }
    expect(backoffStrategy(5)).toBeGreaterThanOrEqual(16_000);
  });

  it('know no end', () => {
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

describe('a job of ours', () => {
  it.each([
    ['redis', { count: 10_000, age: 86_400 }],
    ['postgres', { age: 86_400 }],
  ] as const)('is stored in %s to be kept when it fails and, within bounds, when it completes', (kind, bounds) => {
    expect(jobOptionsFor(kind)).toEqual({ removeOnFail: false, removeOnComplete: bounds });
  });
});
