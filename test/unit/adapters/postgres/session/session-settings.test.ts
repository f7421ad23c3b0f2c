import { describe, expect, test } from 'vitest';
import {
  parseOptions,
  startupOptions,
  transactionSettings,
} from '../../../../../src/adapters/postgres/session/session-settings.js';

const NONE = new Set<string>();

describe('the options of a session', () => {
  test.each([
    ['', {}],
    ['-c TimeZone=UTC', { TimeZone: 'UTC' }],
    ['-cTimeZone=UTC --work-mem=5MB', { TimeZone: 'UTC', work_mem: '5MB' }],
    ['-c TimeZone=UTC -c TimeZone=Asia/Kolkata', { TimeZone: 'Asia/Kolkata' }],
    [String.raw`-c DateStyle=ISO,\ MDY -c a.b=back\\slash`, { DateStyle: 'ISO, MDY', 'a.b': String.raw`back\slash` }],
    ['-c search_path="bullmq"', { search_path: '"bullmq"' }],
    ['-e -B 100 -c geqo=off', { geqo: 'off' }],
  ])('the options %s are read as PostgreSQL reads them', (options, settings) => {
    expect(Object.fromEntries(parseOptions(options))).toEqual(settings);
  });

  test('what is written as options is read back unchanged', () => {
    const settings = { a: 'two words', b: String.raw`back\slash`, c: `it's "quoted"` };
    expect(Object.fromEntries(parseOptions(startupOptions(settings)))).toEqual(settings);
  });
});

describe('the settings of one transaction', () => {
  test('the limits of a pool replace those of its options', () => {
    const config = { options: '-c statement_timeout=0 -c lock_timeout=0', statement_timeout: 10_000 };
    expect(transactionSettings(config, NONE)).toBe(
      `SELECT pg_catalog.set_config('statement_timeout', '10000', true), pg_catalog.set_config('lock_timeout', '0', true)`,
    );
  });

  test('a read-only session makes its transactions read-only, and no transaction sets a default for others', () => {
    const options =
      '-c default_transaction_read_only=off -c idle_session_timeout=0 -c default_transaction_read_only=on';
    expect(transactionSettings({ options }, NONE)).toBe(
      `SELECT pg_catalog.set_config('transaction_read_only', 'on', true)`,
    );
  });

  test('a setting that this version of PostgreSQL does not know is left out', () => {
    expect(transactionSettings({ options: '-c a=1' }, NONE)).not.toContain('transaction_timeout');
    expect(transactionSettings({ options: '-c a=1' }, new Set(['transaction_timeout']))).toContain(
      `set_config('transaction_timeout', '0', true)`,
    );
  });

  test('quotes and backslashes in a value stay what they are', () => {
    expect(transactionSettings({ options: String.raw`-c a=it's -c b=back\\slash` }, NONE)).toBe(
      String.raw`SELECT pg_catalog.set_config('a', 'it''s', true), pg_catalog.set_config('b', E'back\\slash', true)`,
    );
  });
});
