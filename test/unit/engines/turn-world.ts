/** One engine of a process, whose watch, breaker and answers do as a test says. */
import { expect } from 'vitest';
import type { ContainerEngine, EngineTurn } from '../../../src/cleanup/ports.js';
import { type Dependency, messageOf, UnavailableError } from '../../../src/domain/errors.js';
import type { WatchState } from '../../../src/engines/engine-watch.js';
import { createEngines } from '../../../src/engines/engines.js';
import type { ContainerLooks } from '../../../src/engines/engine-ports.js';
import { createManualClock } from '../../support/manual-clock.js';
import { ENGINE, OTHER_ENGINE } from './engines-world.js';

export const calm = new AbortController().signal;
const UNUSED_LOOKS: ContainerLooks = {
  foundPresent: async () => undefined,
  removalIsNext: async () => undefined,
  foundGone: () => expect.unreachable('nothing is judged here'),
  forgetOld: async () => undefined,
};
export const confirmed: WatchState = { kind: 'confirmed', identity: ENGINE };
export const other: WatchState = { kind: 'other', stored: ENGINE, answered: OTHER_ENGINE };
export const unknown: WatchState = { kind: 'unknown', why: 'not asked yet' };

export function setUp({ hasSiblings = false, concurrency = 1 } = {}) {
  const clock = createManualClock();
  const journal: string[] = [];
  const silence = new AbortController();
  const world = {
    clock,
    journal,
    silence,
    state: confirmed,
    /** What a check finds. */
    found: confirmed,
    admits: true,
    permits: 0,
    /** What does not answer a check that finds nothing. */
    checkFailsAt: 'docker' as Dependency,
    remove: async (_signal: AbortSignal): ReturnType<ContainerEngine['remove']> => ({ kind: 'gone', ours: true }),
    look: (_signal: AbortSignal): ReturnType<ContainerEngine['look']> => Promise.resolve({ kind: 'gone' }),
  };
  const engines = createEngines(
    {
      looks: UNUSED_LOOKS,
      clock,
      engines: [
        {
          name: 'mars',
          hasSiblings,
          engine: {
            look: (_containerId, signal) => world.look(signal),
            remove: (_containerId, signal) => world.remove(signal),
            labelled: async () => [],
          },
          fresh: { look: async () => ({ kind: 'gone' }) },
          reconnect: () => undefined,
          watch: {
            state: () => world.state,
            check: async () => {
              journal.push('check');
              world.state = world.found;
              if (world.found.kind === 'unknown') throw new UnavailableError(world.checkFailsAt, 'no answer');
              return { stored: ENGINE, answered: ENGINE };
            },
            suspect: () => void journal.push('suspect'),
            hasten: () => void journal.push('hasten'),
            silence: () => silence.signal,
            run: async () => undefined,
          },
          breaker: {
            tryAdmit: () => {
              if (!world.admits) return undefined;
              world.permits += 1;
              return { release: () => void (world.permits -= 1) };
            },
            startCall: (dependency) => ({
              answered: () => void journal.push(`${dependency} answered`),
              failed: (thrown) => void journal.push(`${dependency} failed: ${messageOf(thrown)}`),
            }),
          },
        },
      ],
    },
    { concurrency },
  );
  return { ...engines, world };
}

export async function granted(taking: ReturnType<ReturnType<typeof createEngines>['take']>): Promise<EngineTurn> {
  const turn = await taking;
  if (turn?.outcome !== 'granted') throw new TypeError(`not granted: ${JSON.stringify(turn)}`);
  return turn;
}
