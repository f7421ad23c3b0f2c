import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, expect, it, onTestFinished } from 'vitest';
import { withStepEvents } from '../../../src/async/step-events.js';

const CHANNEL = 'runtime-cleanup.step';

function listen(onMessage: (message: unknown) => void): void {
  subscribe(CHANNEL, onMessage);
  onTestFinished(() => void unsubscribe(CHANNEL, onMessage));
}

describe('a step', () => {
  it('a step runs its work at once while the channel has no subscriber', () => {
    const work = Promise.resolve('done');
    let began = false;
    const step = withStepEvents('container look', {}, () => {
      began = true;
      return work;
    });
    expect(began).toBe(true);
    return expect(step).resolves.toBe('done');
  });

  it('a step is published before its work, and after it with the answer', async () => {
    const messages: unknown[] = [];
    listen((message) => messages.push(message));
    await withStepEvents('container look', { game: 'game-1' }, async () => {
      messages.push('work');
      return 'idle';
    });
    expect(messages).toEqual([
      { step: 'container look', facts: { game: 'game-1' }, at: 'start' },
      'work',
      { step: 'container look', facts: { game: 'game-1' }, at: 'end', answer: 'idle' },
    ]);
  });

  it('a step whose work throws is published as failed and throws the same error', async () => {
    const messages: unknown[] = [];
    listen((message) => messages.push(message));
    const failed = withStepEvents('container look', {}, () => Promise.reject(new Error('no engine')));
    await expect(failed).rejects.toThrow('no engine');
    expect(messages).toEqual([
      { step: 'container look', facts: {}, at: 'start' },
      { step: 'container look', facts: {}, at: 'error' },
    ]);
  });
});
