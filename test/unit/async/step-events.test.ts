import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, expect, it, onTestFinished } from 'vitest';
import { withStepEvents } from '../../../src/async/step-events.js';

const CHANNEL = 'runtime-cleanup.step';

function listen(onMessage: (message: unknown) => void): void {
  subscribe(CHANNEL, onMessage);
  onTestFinished(() => void unsubscribe(CHANNEL, onMessage));
}

describe('a step', () => {
  it('a step without subscribers only does its work', () => {
    const work = Promise.resolve('done');
    // The very promise comes back only from the work itself, in the same turn.
    let began = false;
    const step = withStepEvents('container look', {}, () => {
      began = true;
      return work;
    });
    expect(began).toBe(true);
    return expect(step).resolves.toBe('done');
  });

  it('a step publishes its start, and its end with the answer', async () => {
    const heard: unknown[] = [];
    listen((message) => heard.push(message));
    await withStepEvents('container look', { game: 'game-1' }, async () => {
      heard.push('work');
      return 'idle';
    });
    expect(heard).toEqual([
      { step: 'container look', facts: { game: 'game-1' }, at: 'start' },
      'work',
      { step: 'container look', facts: { game: 'game-1' }, at: 'end', answer: 'idle' },
    ]);
  });

  it('a step publishes the error of its work and throws it', async () => {
    const heard: unknown[] = [];
    listen((message) => heard.push(message));
    const failed = withStepEvents('container look', {}, () => Promise.reject(new Error('no engine')));
    await expect(failed).rejects.toThrow('no engine');
    expect(heard).toEqual([
      { step: 'container look', facts: {}, at: 'start' },
      { step: 'container look', facts: {}, at: 'error' },
    ]);
  });
});
