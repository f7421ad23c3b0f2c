import type { ContainerEngine, EngineEvidence, Engines } from '../../../src/cleanup/ports.js';

/** Evidence by which every "gone" is believed; stores nothing. */
const BELIEVED: EngineEvidence = {
  foundPresent: async () => undefined,
  removalIsNext: async () => undefined,
  judgeGone: async ({ removalSent }) => ({ believed: true, removal: removalSent ? 'removed' : 'already_gone' }),
};

/** Engines of which each has this one behind it, and is believed: for tests that are about something else. */
export const believedEngine = (engine: ContainerEngine): Engines => ({
  take: async () => ({ outcome: 'granted', engine, evidence: BELIEVED, release: () => undefined }),
});
