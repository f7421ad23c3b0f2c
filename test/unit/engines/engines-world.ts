/** An engine's identity, its stored counterpart, and the looks at its containers, as a test says. */
import type { EngineIdentity, EngineRecord } from '../../../src/engines/engine-ports.js';
import { type EngineWatch, createEngineWatch } from '../../../src/engines/engine-watch.js';
import { createManualClock, type ManualClock } from '../../support/manual-clock.js';

export const ENGINE: EngineIdentity = { engineId: 'engine-1', rootDir: '/var/lib/docker', storageDriver: 'overlay2' };
export const OTHER_ENGINE: EngineIdentity = { ...ENGINE, engineId: 'engine-2' };

const aStoredEngine = (identity: EngineIdentity = ENGINE): EngineRecord => ({
  name: 'default',
  identity,
  observed: null,
  observedAt: null,
  firstSeenAt: new Date(0),
  lastSeenAt: new Date(0),
  acceptedAt: null,
  acceptedBy: null,
  missing: 0,
});

export interface WatchWorld {
  readonly clock: ManualClock;
  readonly watch: EngineWatch;
  /** What was asked of engine and database, and reported, in order. */
  readonly journal: string[];
  /** What the engine says of itself. */
  identify: () => Promise<EngineIdentity>;
  stored: EngineIdentity;
}

export function createWatchWorld(): WatchWorld {
  const clock = createManualClock();
  const journal: string[] = [];
  const watch = createEngineWatch({
    engine: 'default',
    clock,
    probe: {
      identify: () => {
        journal.push('identify');
        return world.identify();
      },
    },
    registry: {
      seen: async (_name, { engineId }) => {
        journal.push(`seen ${engineId}`);
        return aStoredEngine(world.stored);
      },
      forgetLooks: async () => void journal.push('forget looks'),
    },
    report: {
      mismatch: (_engine, { answered }) => void journal.push(`report mismatch ${answered.engineId}`),
      matched: (_engine, { engineId }) => void journal.push(`report matched ${engineId}`),
      silent: (_engine, { message }) => void journal.push(`report silent: ${message}`),
      answers: () => void journal.push('report answers'),
    },
  });
  const world: WatchWorld = { clock, watch, journal, identify: async () => ENGINE, stored: ENGINE };
  return world;
}
