import { describe, expect, it } from 'vitest';
import { judgeAnswer, judgeNames, judgeServiceEnd } from '../../../../demo/report/statements.js';

describe('names', () => {
  const judge = (wanted: readonly string[], found: readonly string[]) => judgeNames('a plan', 'games', wanted, found);

  it('are as expected in any order, and are counted', () => {
    expect(judge(['a', 'b'], ['b', 'a'])).toMatchObject({
      scenario: 'a plan',
      expected: '2 games',
      queue: '2 games',
      differences: [],
    });
  });

  it.each([
    ['one is missing', ['a', 'b'], ['a'], '"b" is missing'],
    ['one is too many', ['a'], ['a', 'b'], '"b" should not be there'],
    ['one comes twice', ['a'], ['a', 'a'], '"a" should not be there'],
  ])('differ when %s, and say which', (_situation, wanted, found, difference) => {
    expect(judge(wanted, found).differences).toEqual([difference]);
  });
});

it('an answer is as expected in just these words', () => {
  expect(judgeAnswer('a call', '200', '200').differences).toEqual([]);
  expect(judgeAnswer('a call', '401 unauthorized', '200 ').differences).toHaveLength(1);
});

describe('the service that was told to stop', () => {
  it('is as expected when it ends with exit code 0', () => {
    expect(judgeServiceEnd(0)).toMatchObject({ queue: 'exit code 0', differences: [] });
  });

  it.each([
    [1, 'exit code 1'],
    ['SIGKILL', 'SIGKILL'],
  ])('differs when it ends with %s', (ending, said) => {
    const verdict = judgeServiceEnd(ending);
    expect(verdict.queue).toBe(said);
    expect(verdict.differences).toHaveLength(1);
  });
});
