import { describe, expect, it } from 'vitest';
import { createSingleFlight } from '../../../src/async/single-flight.js';

const setUp = () => {
  const asked: string[] = [];
  const ask = (what: string) => async () => {
    asked.push(what);
    return what;
  };
  const join = createSingleFlight<string>();
  return { asked, join: (key: string) => join(key, ask(`first ${key}`), ask(`afterwards ${key}`)), raw: join };
};

describe('single-flight', () => {
  it('the first of several concurrent callers does the work, and one question answers the others', async () => {
    const { asked, join } = setUp();
    expect(await Promise.all([join('a'), join('a'), join('a')])).toEqual(['first a', 'afterwards a', 'afterwards a']);
    expect(asked).toEqual(['first a', 'afterwards a']);
  });

  it('callers one after the other each do the work', async () => {
    const { join } = setUp();
    expect([await join('a'), await join('a')]).toEqual(['first a', 'first a']);
  });

  it('callers with different keys do not wait for each other', async () => {
    const { join } = setUp();
    expect(await Promise.all([join('a'), join('b')])).toEqual(['first a', 'first b']);
  });

  it('all concurrent callers get the failure, and the next caller tries again', async () => {
    const { join, raw } = setUp();
    const broken = (): Promise<string> => Promise.reject(new Error('gone'));
    const answers = await Promise.allSettled([raw('a', broken, broken), join('a'), join('a')]);
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(await join('a')).toBe('first a');
  });
});
