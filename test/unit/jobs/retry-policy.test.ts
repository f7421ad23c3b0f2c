import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ErrorCode, FAILURE_CODES, SUCCESS_CODES } from '../../../src/domain/error-codes.js';
import { conflictMaxDelayMsFor, conflictPatienceMs, type Verdict, verdictFor } from '../../../src/jobs/retry-policy.js';

const HOUR_MS = 3_600_000;
const limits = { conflictMaxAttempts: 10, conflictMaxDelayMs: 15_000, retryMaxAgeMs: 24 * HOUR_MS };
const middle = { count: 1, ageMs: 0, fromSweep: false, random: 0.5 };

const retryAfter = (delayMs: number): Verdict => ({ action: 'retry', delayMs });
const dead: Verdict = { action: 'dead_letter' };
const done: Verdict = { action: 'complete' };

describe('the verdict on an ended attempt', () => {
  const rows: readonly [situation: string, code: ErrorCode, attempt: Partial<typeof middle>, verdict: Verdict][] = [
    ['a fresh success completes', '', {}, done],
    ['a replay completes', 'replay_no_op', {}, done],
    ['an invalid request is a dead letter at once', 'invalid_request', {}, dead],
    ['an invalid request of a sweep is a dead letter too', 'invalid_request', { fromSweep: true }, dead],
    ['an unknown game is a dead letter at once', 'not_found', {}, dead],
    ['an unknown game of a sweep is absorbed', 'not_found', { fromSweep: true }, done],
    ['a foreign container is a dead letter at once', 'container_mismatch', {}, dead],
    ['a foreign container of a sweep is a dead letter', 'container_mismatch', { fromSweep: true }, dead],
    ['a first conflict is retried after a second', 'conflict', {}, retryAfter(1_000)],
    ['a third conflict is retried after four seconds', 'conflict', { count: 3 }, retryAfter(4_000)],
    ['a ninth conflict waits no longer than the cap', 'conflict', { count: 9 }, retryAfter(15_000)],
    ['a tenth conflict is a dead letter', 'conflict', { count: 10 }, dead],
    ['a conflict of a sweep is absorbed', 'conflict', { fromSweep: true }, done],
    ['a lost lease is retried like an outage', 'lease_lost', {}, retryAfter(1_000)],
    ['an outage is retried', 'service_unavailable', {}, retryAfter(1_000)],
    ['an outage backs off to a minute', 'service_unavailable', { count: 500 }, retryAfter(60_000)],
    [
      'an outage just short of the limit is retried',
      'service_unavailable',
      { ageMs: 24 * HOUR_MS - 1 },
      retryAfter(1_000),
    ],
    ['an outage as old as the limit is a dead letter', 'service_unavailable', { ageMs: 24 * HOUR_MS }, dead],
    ['an outage met by a sweep is retried', 'service_unavailable', { fromSweep: true }, retryAfter(1_000)],
    ['an engine that is not believed is retried like an outage', 'engine_mismatch', {}, retryAfter(1_000)],
    ['an engine that is not believed backs off to a minute', 'engine_mismatch', { count: 500 }, retryAfter(60_000)],
    [
      'an engine that is not believed is retried however long that lasts, and never a dead letter',
      'engine_mismatch',
      { count: 10_000, ageMs: 240 * HOUR_MS },
      retryAfter(60_000),
    ],
    [
      'an engine that is not believed is retried for a sweep',
      'engine_mismatch',
      { fromSweep: true },
      retryAfter(1_000),
    ],
    ['a first internal error is retried', 'internal_error', {}, retryAfter(2_000)],
    ['a second internal error is retried', 'internal_error', { count: 2 }, retryAfter(4_000)],
    ['a third internal error is a dead letter', 'internal_error', { count: 3 }, dead],
  ];

  it.each(rows)('%s', (_situation, code, attempt, verdict) => {
    expect(verdictFor(code, { ...middle, ...attempt }, limits)).toEqual(verdict);
  });

  it('these rows cover every code of the contract', () => {
    expect(new Set(rows.map(([, code]) => code))).toEqual(new Set([...SUCCESS_CODES, ...FAILURE_CODES]));
  });

  it('delays are spread by a fifth to either side, in whole milliseconds', () => {
    const anyAttempt = fc.record({
      count: fc.integer({ min: 1, max: 10_000 }),
      ageMs: fc.integer({ min: 0, max: 48 * HOUR_MS }),
      fromSweep: fc.boolean(),
      random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.constantFrom(...FAILURE_CODES), anyAttempt, (code, attempt) => {
        const verdict = verdictFor(code, attempt, limits);
        if (verdict.action !== 'retry') return;
        expect(Number.isInteger(verdict.delayMs)).toBe(true);
        expect(verdict.delayMs).toBeGreaterThanOrEqual(800);
        expect(verdict.delayMs).toBeLessThanOrEqual(72_000);
      }),
    );
  });
});

describe('the patience with conflicts', () => {
  it('the retries of a conflict take longer than a lease of the default TTL that a crash left behind', () => {
    const leaseTtlMs = 60_000;
    const patienceMs = conflictPatienceMs({ ...limits, conflictMaxDelayMs: conflictMaxDelayMsFor(leaseTtlMs) });
    expect(patienceMs).toBeGreaterThan(leaseTtlMs);
  });

  it('the shortest time of all retries is the sum of the shortest pauses between the allowed tries', () => {
    // 1, 2, 4, 8 and five times 15 seconds, each a fifth less.
    expect(conflictPatienceMs(limits)).toBe(0.8 * 90_000);
    expect(conflictPatienceMs({ ...limits, conflictMaxAttempts: 2 })).toBe(800);
    expect(conflictPatienceMs({ ...limits, conflictMaxAttempts: 1 })).toBe(0);
  });

  it('the longest conflict delay of a short lease is never below five seconds', () => {
    expect(conflictMaxDelayMsFor(2_000)).toBe(5_000);
  });
});
