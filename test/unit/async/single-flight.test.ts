import { describe, expect, it } from 'vitest';
import { createSingleFlight } from '../../../src/async/single-flight.js';

const setUp = () => {
  const asked: string[] = [];
  const ask = (what: string) => async () => {
    asked.push(what);
    return what;
  };
  const call = createSingleFlight<string>();
  return { asked, call: (key: string) => call(key, ask(`first ${key}`), ask(`afterwards ${key}`)), raw: call };
};

describe('single-flight', () => {
  it('the first of several concurrent callers does the work, and one question answers the others', async () => {
    const { asked, call } = setUp();
    expect(await Promise.all([call('a'), call('a'), call('a')])).toEqual(['first a', 'afterwards a', 'afterwards a']);
    expect(asked).toEqual(['first a', 'afterwards a']);
  });

  it('callers one after the other each do the work', async () => {
    const { call } = setUp();
    expect([await call('a'), await call('a')]).toEqual(['first a', 'first a']);
  });

  it('callers with different keys do not wait for each other', async () => {
    const { call } = setUp();
    expect(await Promise.all([call('a'), call('b')])).toEqual(['first a', 'first b']);
  });

  it('all concurrent callers get the failure, and the next caller tries again', async () => {
    const { call, raw } = setUp();
    const broken = (): Promise<string> => Promise.reject(new Error('gone'));
    const answers = await Promise.allSettled([raw('a', broken, broken), call('a'), call('a')]);
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(await call('a')).toBe('first a');
  });
});
