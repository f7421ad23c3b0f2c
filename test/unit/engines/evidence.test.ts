import { describe, expect, it } from 'vitest';
import type { ContainerState } from '../../../src/cleanup/ports.js';
import type { Confirmation } from '../../../src/engines/engine-watch.js';
import { createEvidence } from '../../../src/engines/evidence.js';
import type { MissingFacts } from '../../../src/engines/ports.js';
import { CONTAINER_ID, OTHER_CONTAINER_ID } from '../../support/records.js';
import { ENGINE, OTHER_ENGINE } from './engines-world.js';

const calm = new AbortController().signal;
const present: ContainerState = { kind: 'present', gameLabel: null, activity: 'running', detail: 'running' };
const subject = { containerId: CONTAINER_ID, gameId: 'game-1', jobId: '42' };
const NO_FACTS: MissingFacts = {
  removalSent: false,
  accepted: false,
  goneLooks: 1,
  othersSeenRecently: false,
  others: [],
};

function setUp(known: Partial<MissingFacts> = {}, found: ContainerState = { kind: 'gone' }) {
  const journal: string[] = [];
  const state: { confirmation: Confirmation } = { confirmation: { stored: ENGINE, answered: ENGINE } };
  const evidence = createEvidence({
    name: 'mars',
    engine: {
      look: async (containerId) => {
        journal.push(`look at ${containerId.slice(0, 2)}`);
        return found;
      },
    },
    watch: {
      check: async () => {
        journal.push('check');
        return state.confirmation;
      },
    },
    looks: {
      foundPresent: async ({ engine }) => void journal.push(`present on ${engine}`),
      removalIsNext: async ({ engine }) => void journal.push(`removal is next on ${engine}`),
      foundGone: async ({ engine }) => {
        journal.push(`gone on ${engine}`);
        return { ...NO_FACTS, ...known };
      },
      forgetOld: async () => undefined,
    },
  });
  const judge = (removalSent = false) => evidence.judgeGone({ ...subject, removalSent }, calm);
  return { journal, state, evidence, judge };
}

describe('the evidence that a container is gone', () => {
  it('is judged by an identity that is asked for now, which is after the look, and then by stored facts', async () => {
    const { judge, journal } = setUp({ accepted: true });
    expect(await judge()).toEqual({ believed: true, removal: 'already_gone' });
    expect(journal).toEqual(['check', 'gone on mars']);
  });

  it('is none of another engine, whose answer is not stored as a look', async () => {
    const { judge, journal, state } = setUp({ accepted: true });
    state.confirmation = { stored: ENGINE, answered: OTHER_ENGINE };
    expect(await judge(true)).toMatchObject({ believed: false, why: expect.stringContaining('another engine') });
    expect(journal).toEqual(['check']);
  });

  it.each([
    ['by this attempt', {}, true],
    ['by an earlier attempt', { removalSent: true }, false],
  ])('needs no other container where a removal was sent %s', async (_when, known, removalSent) => {
    const { judge, journal } = setUp({ ...known, others: [OTHER_CONTAINER_ID] });
    expect(await judge(removalSent)).toEqual({ believed: true, removal: 'removed' });
    expect(journal).toEqual(['check', 'gone on mars']);
  });

  it('is another container that records name, and that is there now', async () => {
    const { judge, journal } = setUp({ others: [OTHER_CONTAINER_ID] }, present);
    expect(await judge()).toEqual({ believed: true, removal: 'already_gone' });
    expect(journal).toEqual(['check', 'gone on mars', 'look at b2']);
  });

  it('is not a look of a moment ago when the containers that records name are all missing now', async () => {
    const { judge } = setUp({ others: [OTHER_CONTAINER_ID], othersSeenRecently: true });
    expect(await judge()).toMatchObject({ believed: false, why: expect.stringContaining('shows no other container') });
  });

  it('is a look of a moment ago when no record names another container', async () => {
    const { judge } = setUp({ othersSeenRecently: true });
    expect(await judge()).toEqual({ believed: true, removal: 'already_gone' });
  });

  it('is missing when no other container was ever seen', async () => {
    expect(await setUp().judge()).toMatchObject({ believed: false });
  });

  it('is missing in a burst, whatever other container is there', async () => {
    const { judge } = setUp({ goneLooks: 11, others: [OTHER_CONTAINER_ID] }, present);
    expect(await judge()).toMatchObject({ believed: false, why: expect.stringContaining('11 of the last 20') });
  });

  it('is not judged after the abort of its job', async () => {
    const { evidence, journal } = setUp({ accepted: true });
    const reason = new Error('lease lost');
    const judging = evidence.judgeGone({ ...subject, removalSent: false }, AbortSignal.abort(reason));
    await expect(judging).rejects.toBe(reason);
    expect(journal).toEqual(['check']);
  });

  it('is stored under the name of the engine', async () => {
    const { evidence, journal } = setUp();
    await evidence.foundPresent(subject);
    await evidence.removalIsNext(subject);
    expect(journal).toEqual(['present on mars', 'removal is next on mars']);
  });
});
