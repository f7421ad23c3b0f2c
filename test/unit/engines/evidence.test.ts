import { describe, expect, it } from 'vitest';
import type { ContainerState } from '../../../src/cleanup/ports.js';
import type { Confirmation } from '../../../src/engines/engine-watch.js';
import { createEvidence } from '../../../src/engines/evidence.js';
import type { MissingFacts } from '../../../src/engines/engine-ports.js';
import { neverAborted } from '../../support/calls.js';
import { CONTAINER_ID, OTHER_CONTAINER_ID } from '../../support/records.js';
import { ENGINE, OTHER_ENGINE } from './engines-world.js';

const present: ContainerState = { kind: 'present', gameLabel: null, activity: 'running', detail: 'running' };
const subject = { containerId: CONTAINER_ID, gameId: 'game-1', jobId: '42' };
const NO_FACTS: MissingFacts = {
  removalSent: false,
  accepted: false,
  goneLooks: 1,
  othersSeenRecently: false,
  others: [],
};

const SAME: Confirmation = { stored: ENGINE, answered: ENGINE };
const OTHER: Confirmation = { stored: ENGINE, answered: OTHER_ENGINE };

/** @param others what the engine says of the other containers; the one that is judged is gone unless the test says otherwise */
function setUp(known: Partial<MissingFacts> = {}, others: ContainerState = { kind: 'gone' }) {
  const journal: string[] = [];
  /** `later`: what answers after the first check. */
  const state = { confirmation: SAME, later: SAME, judged: { kind: 'gone' } as ContainerState };
  const evidence = createEvidence({
    name: 'mars',
    reconnect: () => void journal.push('reconnect'),
    fresh: {
      look: async (containerId) => {
        journal.push(`look at ${containerId.slice(0, 2)}`);
        return containerId === CONTAINER_ID ? state.judged : others;
      },
    },
    watch: {
      check: async () => {
        journal.push('check');
        const { confirmation } = state;
        state.confirmation = state.later;
        return confirmation;
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
  const judge = (removalSent = false) => evidence.judgeGone({ ...subject, removalSent }, neverAborted);
  return { journal, state, evidence, judge };
}

describe('the evidence that a container is gone', () => {
  it('a container is judged by a second look between two checks of the identity', async () => {
    const { judge, journal } = setUp({ accepted: true });
    expect(await judge()).toEqual({ believed: true, removal: 'already_gone' });
    expect(journal).toEqual(['reconnect', 'check', 'look at a1', 'gone on mars', 'check']);
  });

  it('the answer of another engine is not believed, and is not stored as a look', async () => {
    const { judge, journal, state } = setUp({ accepted: true });
    state.confirmation = OTHER;
    expect(await judge(true)).toMatchObject({ believed: false, why: expect.stringContaining('another engine') });
    expect(journal).toEqual(['reconnect', 'check']);
  });

  it('an engine that another one replaced during the second look is not believed', async () => {
    const { judge, state } = setUp({ accepted: true });
    state.later = OTHER;
    expect(await judge(true)).toMatchObject({ believed: false, why: expect.stringContaining('another engine') });
  });

  it('a container that is there at the second look is not gone, although the engine said so before', async () => {
    const { judge, journal, state } = setUp({ accepted: true });
    state.judged = present;
    expect(await judge(true)).toMatchObject({ believed: false, why: expect.stringContaining('a moment later') });
    expect(journal).toEqual(['reconnect', 'check', 'look at a1']);
  });

  it.each([
    ['by this attempt', {}, true],
    ['by an earlier attempt', { removalSent: true }, false],
  ])('no other container is needed where a removal was sent %s', async (_when, known, removalSent) => {
    const { judge, journal } = setUp({ ...known, others: [OTHER_CONTAINER_ID] });
    expect(await judge(removalSent)).toEqual({ believed: true, removal: 'removed' });
    expect(journal).toEqual(['reconnect', 'check', 'look at a1', 'gone on mars', 'check']);
  });

  it('another container that records name and that is there now is evidence', async () => {
    const { judge, journal } = setUp({ others: [OTHER_CONTAINER_ID] }, present);
    expect(await judge()).toEqual({ believed: true, removal: 'already_gone' });
    expect(journal).toEqual(['reconnect', 'check', 'look at a1', 'gone on mars', 'look at b2', 'check']);
  });

  it('a look of a moment ago is no evidence when the containers that records name are all missing now', async () => {
    const { judge } = setUp({ others: [OTHER_CONTAINER_ID], othersSeenRecently: true });
    expect(await judge()).toMatchObject({ believed: false, why: expect.stringContaining('shows no other container') });
  });

  it('a look of a moment ago is evidence when no record names another container', async () => {
    const { judge } = setUp({ othersSeenRecently: true });
    expect(await judge()).toEqual({ believed: true, removal: 'already_gone' });
  });

  it('an engine that never showed another container is not believed', async () => {
    expect(await setUp().judge()).toMatchObject({ believed: false });
  });

  it('a burst of missing containers is not believed, although another container is there', async () => {
    const { judge } = setUp({ goneLooks: 11, others: [OTHER_CONTAINER_ID] }, present);
    expect(await judge()).toMatchObject({ believed: false, why: expect.stringContaining('11 of the last 20') });
  });

  it('nothing is judged after the abort of the job', async () => {
    const { evidence, journal } = setUp({ accepted: true });
    const reason = new Error('lease lost');
    const judging = evidence.judgeGone({ ...subject, removalSent: false }, AbortSignal.abort(reason));
    await expect(judging).rejects.toBe(reason);
    expect(journal).toEqual(['reconnect', 'check']);
  });

  it('looks are stored under the name of the engine', async () => {
    const { evidence, journal } = setUp();
    await evidence.foundPresent(subject);
    await evidence.removalIsNext(subject);
    expect(journal).toEqual(['present on mars', 'removal is next on mars']);
  });
});
