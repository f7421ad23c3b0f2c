import { describe, expect, it } from 'vitest';
import { dueGames, listOf, parseJson, textOf } from '../../../../demo/platform/answers.js';

describe('the parsers of answers', () => {
  it('a JSON answer is parsed, and another text is an error that shows it', () => {
    expect(parseJson('[1]', 'the plan')).toEqual([1]);
    expect(() => parseJson('<html>', 'the plan')).toThrow('the plan is not JSON: <html>');
  });

  it('a list is returned by its name', () => {
    expect(listOf({ items: [1] }, 'items')).toEqual([1]);
  });

  it.each([[{ items: 'all' }], [{}], [null], [[]], ['items']])(
    'an answer without the list is an error: %j',
    (answer) => {
      expect(() => listOf(answer, 'items')).toThrow(/there is no list "items" in/);
    },
  );

  it.each([[null], ['text'], [{ jobId: 7 }], [[]]])('a missing text is empty: %j', (item) => {
    expect(textOf(item, 'jobId')).toBe('');
  });

  it('a plan gives the games that are due, and no others', () => {
    const plan = [
      { gameId: 'a', verdict: 'due' },
      { gameId: 'b', verdict: 'held' },
      { gameId: 'c', verdict: 'due' },
    ];
    expect(dueGames(plan)).toEqual(['a', 'c']);
  });
});
