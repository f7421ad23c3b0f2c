import { describe, expect, it } from 'vitest';
import { judgeAnswer, judgeNames, judgeServiceEnd } from '../../../../demo/report/statements.js';

describe('names', () => {
  const judge = (wanted: readonly string[], found: readonly string[]) => judgeNames('a plan', 'games', wanted, found);

  it('names in any order are as expected, and are counted', () => {
    expect(judge(['a', 'b'], ['b', 'a'])).toMatchObject({
      scenario: 'a plan',
      expected: '2 games',
      queue: '2 games',
      differences: [],
    });
  });

  it.each([
    ['one is missing', ['a', 'b'], ['a'], '"b" is missing'],
    ['one is unexpected', ['a'], ['a', 'b'], '"b" should not be listed'],
    ['one is listed twice', ['a'], ['a', 'a'], '"a" should not be listed'],
  ])('names differ when %s, and the difference names it', (_situation, wanted, found, difference) => {
    expect(judge(wanted, found).differences).toEqual([difference]);
  });
});

it('an answer is as expected only when it is exactly the expected text', () => {
  expect(judgeAnswer('a call', '200', '200').differences).toEqual([]);
  expect(judgeAnswer('a call', '401 unauthorized', '200 ').differences).toHaveLength(1);
});

describe('the end of the service after SIGTERM', () => {
  it('a service that ends with exit code 0 is as expected', () => {
    expect(judgeServiceEnd(0)).toMatchObject({ queue: 'exit code 0', differences: [] });
  });

  it.each([
    [1, 'exit code 1'],
    ['SIGKILL', 'SIGKILL'],
  ])('a service that ends with %s differs', (ending, found) => {
    const verdict = judgeServiceEnd(ending);
    expect(verdict.queue).toBe(found);
    expect(verdict.differences).toHaveLength(1);
  });
});
