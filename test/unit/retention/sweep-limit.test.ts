import { describe, expect, it } from 'vitest';
import { shareRefusal } from '../../../src/retention/sweep-limit.js';
import { DAY_MS, RETENTION_MS } from './cases.js';

const refusal = (planned: number, stopped: number, maxShare = 0.5): string | null =>
  shareRefusal({ planned, stopped, maxShare, retentionMs: RETENTION_MS });

describe('the limit of a sweep', () => {
  const rows: readonly [situation: string, planned: number, stopped: number, maxShare: number, refuses: boolean][] = [
    ['allows 9 of 9, because it does not apply to so few', 9, 9, 0.5, false],
    ['allows exactly half of 10', 5, 10, 0.5, false],
    ['refuses one more than half of 10', 6, 10, 0.5, true],
    ['refuses 10 of 10', 10, 10, 0.5, true],
    ['allows 10 of 10 at 100 %', 10, 10, 1, false],
    ['allows half of 11, rounded down', 5, 11, 0.5, false],
    ['refuses half of 11, rounded up', 6, 11, 0.5, true],
    ['allows exactly half of 100', 50, 100, 0.5, false],
    ['refuses one more than half of 100', 51, 100, 0.5, true],
    ['refuses 100 of 100', 100, 100, 0.5, true],
    ['allows half of an odd number, rounded down', 50, 101, 0.5, false],
    ['refuses half of an odd number, rounded up', 51, 101, 0.5, true],
    ['allows all records at 100 %', 1_000_000, 1_000_000, 1, false],
    ['allows a sweep without due records', 0, 1_000_000, 0.000_001, false],
    ['refuses a single record when the share is less than one', 1, 100, 0.009, true],
    ['allows exactly 29 %, which has no exact binary form', 29, 100, 0.29, false],
    ['refuses one more than 29 %', 30, 100, 0.29, true],
    ['allows exactly 7 %, whose binary form is too large', 7, 100, 0.07, false],
    ['refuses a share that is not a number', 1, 100, Number.NaN, true],
  ];

  it.each(rows)('the limit %s', (_situation, planned, stopped, maxShare, refuses) => {
    expect(refusal(planned, stopped, maxShare) !== null).toBe(refuses);
  });

  it('the limit agrees with whole-number arithmetic at every percent', () => {
    for (let percent = 1; percent <= 100; percent += 1) {
      for (const stopped of [10, 11, 99, 100, 250, 333, 12_345, 1_000_000]) {
        const allowed = Math.floor((percent * stopped) / 100);
        expect(refusal(allowed, stopped, percent / 100)).toBeNull();
        expect(refusal(allowed + 1, stopped, percent / 100)).not.toBeNull();
      }
    }
  });

  it('the refusal shows the numbers, asks about the retention and names both ways to allow the share', () => {
    expect(refusal(151, 200)).toBe(
      '151 of 200 stopped records are due, 100 at most may be (50%), so nothing is enqueued; is the retention of 30 days ' +
        'right? If so, allow the share once with "runtime-cleanup sweep --max-share 76%" or for good with ' +
        'RTMANAGER_SWEEP_MAX_SHARE=76%',
    );
  });

  it('the refusal names a share that is enough, even after rounding', () => {
    const suggested = /--max-share (\d+)%/.exec(refusal(667, 1_000, 0.5) ?? '')?.[1];
    expect(suggested).toBe('67');
    expect(refusal(667, 1_000, Number(suggested) / 100)).toBeNull();
  });

  it('the refusal shows a retention of seconds in days', () => {
    const retentionMs = 0.000_01 * DAY_MS;
    expect(shareRefusal({ planned: 100, stopped: 100, maxShare: 0.5, retentionMs })).toContain(
      'retention of 0.00001 days',
    );
  });
});
