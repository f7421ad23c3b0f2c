import { assert, integer, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, parseDurationMs, shownSpan } from '../../../src/config/duration.js';
import { formatHttpAddress, parseHttpAddress, whereToAsk } from '../../../src/config/http-address.js';
import { describeSettings, settingsMarkdown } from '../../../src/config/settings.js';
import { formatShare, parseShare } from '../../../src/config/parsers.js';
import { shownUrl } from '../../../src/config/shown-url.js';

const HOUR_MS = 3_600_000;

describe('durations', () => {
  it('a duration is read as milliseconds', () => {
    const texts = ['500ms', '30s', '5m', '1h', '0s', '1.5s', '0.001s'];
    expect(texts.map(parseDurationMs)).toEqual([500, 30_000, 300_000, 3_600_000, 0, 1_500, 1]);
  });

  it('a duration has a unit, one amount and nothing else', () => {
    const texts = ['', '30', 's', '-1s', '1 s', '1h30m', '1d', '1e3s', '1.s', '١s', '1s\n', '1.2345s'];
    expect(texts.filter((text) => parseDurationMs(text) !== undefined)).toEqual([]);
  });

  it('a written duration reads back the same', () => {
    assert(property(integer({ min: 0, max: 1_000_000_000 }), (ms) => parseDurationMs(formatDuration(ms)) === ms));
    expect([1_500, 90_000, 7_200_000, 60_000].map(formatDuration)).toEqual(['1500ms', '90s', '2h', '1m']);
  });
});

describe('spans of time', () => {
  it.each([
    [0, '0 s'],
    [999, '0 s'],
    [59_999, '59 s'],
    [60_000, '1 min'],
    [90_000, '1 min 30 s'],
    [900_000, '15 min'],
    [HOUR_MS + 59_000, '1 h'],
    [2.5 * HOUR_MS, '2 h 30 min'],
    [24 * HOUR_MS, '1 d'],
    [36 * HOUR_MS, '1 d 12 h'],
    [30 * 24 * HOUR_MS + HOUR_MS, '30 d'],
    [Number.POSITIVE_INFINITY, 'ever'],
  ])('a span of %d ms is shown as %s', (ms, text) => {
    expect(shownSpan(ms)).toBe(text);
  });
});

describe('shares', () => {
  it('a written share reads back the same', () => {
    assert(
      property(integer({ min: 1, max: 100_000_000 }), (millionths) => {
        const share = parseShare(`${(millionths / 1e6).toFixed(6)}%`);
        return share !== undefined && parseShare(formatShare(share)) === share;
      }),
    );
    expect([0.5, 1, 0.125].map(formatShare)).toEqual(['50%', '100%', '12.5%']);
  });
});

describe('addresses to listen at', () => {
  it.each([
    [':8096', '127.0.0.1:8096'],
    ['[::]:8096', '[::1]:8096'],
    ['10.1.2.3:80', '10.1.2.3:80'],
  ])('a server that listens on %s is asked at %s', (listening, asked) => {
    const address = parseHttpAddress(listening);
    expect(address && formatHttpAddress(whereToAsk(address))).toBe(asked);
  });

  it('a written address reads back the same', () => {
    const texts = ['127.0.0.1:8096', '[::1]:0', 'localhost:80'];
    expect(texts.map((text) => formatHttpAddress(parseHttpAddress(text) ?? { host: '?', port: 0 }))).toEqual(texts);
  });
});

describe('an address that is shown', () => {
  it('a shown address contains everything but the password', () => {
    expect(shownUrl('postgresql://app:p%40ss@db:5432/games?sslmode=require')).toBe(
      'postgresql://app:***@db:5432/games?sslmode=require',
    );
    expect(shownUrl('redis://cache:6379/0')).toBe('redis://cache:6379/0');
    expect(shownUrl('redis://app@cache')).toBe('redis://app@cache');
    expect(shownUrl('postgresql://db/games?user=app&password=secret&x=1')).toBe(
      'postgresql://db/games?user=app&password=***&x=1',
    );
  });

  it('a shown address hides a password that contains separators', () => {
    expect(shownUrl('redis://u:a@b:c@cache')).toBe('redis://u:***@cache');
  });

  it('a text that is not an address is not shown', () => {
    expect(shownUrl('app:secret@db')).not.toContain('secret');
  });
});

describe('the table of settings', () => {
  it('the table has a row for each setting, and every cell is filled', () => {
    const rows = settingsMarkdown(describeSettings()).trimEnd().split('\n');
    expect(rows).toHaveLength(describeSettings().length + 2);
    for (const row of rows) expect(row).toMatch(/^(\| [^|]+ ){4}\|$/);
  });
});
