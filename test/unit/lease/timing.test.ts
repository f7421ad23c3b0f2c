import { assert, integer, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConfigurationError } from '../../../src/domain/errors.js';
import {
  extendedTrustEndMs,
  isTrusted,
  LEASE_TTL_MAX_MS,
  LEASE_TTL_MIN_MS,
  type LeaseSettings,
  leaseTiming,
  renewalDueInMs,
  trustEndMs,
} from '../../../src/lease/timing.js';

describe('the timing of a lease', () => {
  test('the defaults follow from the TTL alone', () => {
    expect(leaseTiming({ ttlMs: 60_000 })).toEqual({
      ttlMs: 60_000,
      marginMs: 5_000,
      renewEveryMs: 20_000,
      answerTimeoutMs: 2_000,
      retryEveryMs: 1_000,
      releaseTimeoutMs: 5_000,
    });
  });

  test('every allowed TTL has room for one renewal without an answer and one more try', () => {
    assert(
      property(integer({ min: LEASE_TTL_MIN_MS, max: LEASE_TTL_MAX_MS }), (ttlMs) => {
        const timing = leaseTiming({ ttlMs });
        const twoTriesMs = timing.renewEveryMs + 2 * timing.answerTimeoutMs + timing.retryEveryMs;
        expect(twoTriesMs).toBeLessThan(timing.ttlMs - timing.marginMs);
      }),
    );
  });

  const refused: readonly (readonly [string, LeaseSettings, RegExp])[] = [
    ['a TTL below two seconds', { ttlMs: 1_999 }, /ttlMs is 1999; allowed: 2000 to 3600000/],
    ['a TTL above an hour', { ttlMs: 3_600_001 }, /ttlMs is 3600001; allowed: 2000 to 3600000/],
    ['a TTL that is not a number', { ttlMs: Number.NaN }, /ttlMs is NaN; allowed/],
    ['an infinite TTL', { ttlMs: Number.POSITIVE_INFINITY }, /ttlMs is Infinity; allowed/],
    ['a TTL with a fraction of a millisecond', { ttlMs: 2_000.5 }, /ttlMs is 2000.5; allowed: whole/],
    ['a margin as long as the TTL', { ttlMs: 2_000, marginMs: 2_000 }, /marginMs is 2000; allowed: .* \(2000\)/],
    ['a negative margin', { ttlMs: 2_000, marginMs: -1 }, /marginMs is -1; allowed/],
    [
      'renewals after the end of trust',
      { ttlMs: 10_000, marginMs: 1_000, renewEveryMs: 9_000 },
      /renewEveryMs is 9000; allowed: .*below .*\(9000\)/,
    ],
    ['renewals without a pause', { ttlMs: 10_000, renewEveryMs: 0 }, /renewEveryMs is 0; allowed: above 0/],
    [
      'an answer time longer than trust',
      { ttlMs: 10_000, marginMs: 1_000, renewEveryMs: 4_000, answerTimeoutMs: 5_000 },
      /answerTimeoutMs is 5000; allowed: .*\(5000\)/,
    ],
    ['an answer time of 0', { ttlMs: 10_000, answerTimeoutMs: 0 }, /answerTimeoutMs is 0; allowed/],
    ['retries without a pause', { ttlMs: 10_000, retryEveryMs: 0 }, /retryEveryMs is 0; allowed: 1 to/],
    ['a release time of more than five seconds', { ttlMs: 10_000, releaseTimeoutMs: 5_001 }, /is 5001; .*5000/],
    ['a release time of 0', { ttlMs: 10_000, releaseTimeoutMs: 0 }, /releaseTimeoutMs is 0; allowed: 1 to/],
    ['a pause that is text', { ttlMs: 10_000, retryEveryMs: '500' as never }, /retryEveryMs is 500; allowed: 1 to/],
  ];
  test.each(refused)('the settings refuse %s', (_what, settings, message) => {
    expect(() => leaseTiming(settings)).toThrow(ConfigurationError);
    expect(() => leaseTiming(settings)).toThrow(message);
  });

  test('the settings accept the shortest and the longest TTL', () => {
    expect(leaseTiming({ ttlMs: LEASE_TTL_MIN_MS }).ttlMs).toBe(LEASE_TTL_MIN_MS);
    expect(leaseTiming({ ttlMs: LEASE_TTL_MAX_MS }).marginMs).toBe(5_000);
  });

  test('the settings accept a margin of 0, which leaves the whole TTL to be trusted', () => {
    expect(leaseTiming({ ttlMs: 10_000, marginMs: 0 })).toMatchObject({ marginMs: 0, renewEveryMs: 10_000 / 3 });
  });
});

describe('trust', () => {
  const timing = leaseTiming({ ttlMs: 60_000 });

  test('trust lasts for the TTL less the margin, from when the store was asked', () => {
    expect(trustEndMs(1_000, timing)).toBe(56_000);
  });

  test('trust ends exactly at its end', () => {
    expect(isTrusted(55_999, 56_000)).toBe(true);
    expect(isTrusted(56_000, 56_000)).toBe(false);
  });

  test('trust is never shortened by an answer to an older request', () => {
    expect(extendedTrustEndMs(80_000, 1_000, timing)).toBe(80_000);
    expect(extendedTrustEndMs(80_000, 30_000, timing)).toBe(85_000);
  });

  test('the next renewal is due at a third of the TTL, or at once when that has passed', () => {
    expect(renewalDueInMs(1_000, 1_000, timing)).toBe(20_000);
    expect(renewalDueInMs(2_500, 1_000, timing)).toBe(18_500);
    expect(renewalDueInMs(30_000, 1_000, timing)).toBe(0);
  });
});
