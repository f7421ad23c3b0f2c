import { describe, expect, it, onTestFinished } from 'vitest';
import { withStepEvents } from '../../../src/async/step-events.js';
import { nextSteps, untilStep } from '../../support/steps.js';

const look = (game: string) => withStepEvents('container look', { game }, async () => `${game} is idle`);

function record() {
  const steps = nextSteps();
  onTestFinished(steps.stop);
  return steps;
}

describe('untilStep', () => {
  it('a wait resolves to the first published step that matches step, place and condition', async () => {
    const step = untilStep({ step: 'container look', at: 'end', where: ({ facts }) => facts['game'] === 'b' });
    await look('a');
    await look('b');
    await expect(step).resolves.toEqual({
      step: 'container look',
      at: 'end',
      facts: { game: 'b' },
      answer: 'b is idle',
    });
  });

  it('a wait rejects at its time limit and names the published steps', async () => {
    const step = untilStep({ step: 'container remove', at: 'start' }, { timeoutMs: 20 });
    await look('a');
    await expect(step).rejects.toThrow(
      'no matching "container remove start" within 20 ms; announced meanwhile: container look start, container look end',
    );
  });

  it('a wait does not see a step from before the call', async () => {
    await look('a');
    await expect(untilStep({ step: 'container look', at: 'end' }, { timeoutMs: 20 })).rejects.toThrow('no step');
  });
});

describe('nextSteps', () => {
  it('a recording contains a step from before the question', async () => {
    const steps = record();
    await look('a');
    await expect(steps.until({ step: 'container look', at: 'start' })).resolves.toMatchObject({ facts: { game: 'a' } });
    expect(steps.seen().map(({ at }) => at)).toEqual(['start', 'end']);
  });

  it('a stopped recording records no step', async () => {
    const steps = record();
    steps.stop();
    await look('a');
    expect(steps.seen()).toEqual([]);
  });
});
