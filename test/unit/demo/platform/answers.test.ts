import { describe, expect, it } from 'vitest';
import { dueGames, listOf, parsed, textOf } from '../../../../demo/platform/answers.js';

describe('an answer', () => {
  it('is read, or said to be no JSON', () => {
    expect(parsed('[1]', 'the plan')).toEqual([1]);
    expect(() => parsed('<html>', 'the plan')).toThrow('the plan is no JSON: <html>');
  });

  it('has the list that it must have', () => {
    expect(listOf({ items: [1] }, 'items')).toEqual([1]);
  });

  it.each([[{ items: 'all' }], [{}], [null], [[]], ['items']])('is refused without it: %j', (answer) => {
    expect(() => listOf(answer, 'items')).toThrow(/there is no list "items" in/);
  });

  it.each([[null], ['text'], [{ jobId: 7 }], [[]]])('has no text in %j', (item) => {
    expect(textOf(item, 'jobId')).toBe('');
  });

  it('names the games that are due, and no others', () => {
    const plan = [
      { gameId: 'a', verdict: 'due' },
      { gameId: 'b', verdict: 'held' },
      { gameId: 'c', verdict: 'due' },
    ];
    expect(dueGames(plan)).toEqual(['a', 'c']);
  });
});
