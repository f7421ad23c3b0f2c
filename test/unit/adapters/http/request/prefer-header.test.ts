import { expect, it } from 'vitest';
import { preferredWaitS } from '../../../../../src/adapters/http/request/prefer-header.js';

const ROWS: readonly [what: string, header: string | readonly string[] | undefined, seconds: number | undefined][] = [
  ['nothing', undefined, undefined],
  ['an empty header', '', undefined],
  ['seconds', 'wait=10', 10],
  ['no time at all', 'wait=0', 0],
  ['a value in quotes', 'wait="10"', 10],
  ['spaces wherever they may be', ' wait = 10 ', 10],
  ['capitals', 'WAIT=10', 10],
  ['one preference among others', 'respond-async, wait=10, return=minimal', 10],
  ['parameters of the preference', 'wait=10; foo="a;b"', 10],
  ['the word inside of quotes', 'foo="bar, wait=5"', undefined],
  ['the word inside of quotes, and outside', 'foo="bar, wait=5", wait=10', 10],
  ['a quote inside of quotes', String.raw`foo="a\", wait=5, ", wait=10`, 10],
  ['the preference twice', 'wait=10, wait=20', 10],
  ['two headers', ['respond-async', 'wait=10'], 10],
  ['more than a minute', 'wait=3600', 60],
  ['more than any number', 'wait=99999999999999999999', undefined],
  ['no value', 'wait', undefined],
  ['no number', 'wait=long', undefined],
  ['a negative number', 'wait=-1', undefined],
  ['a fraction', 'wait=1.5', undefined],
  ['another preference with the same ending', 'await=10', undefined],
  ['a quote that does not end', 'foo="bar, wait=10', undefined],
];

it.each(ROWS)('a preference for %s is understood', (_what, header, seconds) => {
  expect(preferredWaitS(header)).toBe(seconds);
});

it('a hostile header is read in no time', () => {
  const startedMs = performance.now();
  expect(preferredWaitS(`${'wait'.repeat(2_000)}${' '.repeat(5_000)}"${'a,'.repeat(3_000)}`)).toBeUndefined();
  expect(performance.now() - startedMs).toBeLessThan(200);
});
