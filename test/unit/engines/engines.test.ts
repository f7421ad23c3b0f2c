import { describe, expect, it } from 'vitest';
import type { ContainerEngine, EngineTurn } from '../../../src/cleanup/ports.js';
import { EngineRefusalError, UnavailableError } from '../../../src/domain/errors.js';
import type { WatchState } from '../../../src/engines/engine-watch.js';
import { createEngines } from '../../../src/engines/engines.js';
import type { ContainerLooks } from '../../../src/engines/engine-ports.js';
import { createManualClock } from '../../support/manual-clock.js';
import { CONTAINER_ID } from '../../support/records.js';
import { ENGINE, OTHER_ENGINE } from './engines-world.js';

const calm = new AbortController().signal;
const UNUSED_LOOKS: ContainerLooks = {
  foundPresent: async () => undefined,
  removalIsNext: async () => undefined,
  foundGone: () => expect.unreachable('nothing is judged here'),
  forgetOld: async () => undefined,
};
const confirmed: WatchState = { kind: 'confirmed', identity: ENGINE };
const other: WatchState = { kind: 'other', stored: ENGINE, answered: OTHER_ENGINE };
const unknown: WatchState = { kind: 'unknown', why: 'not asked yet' };

function setUp({ hasSiblings = false, concurrency = 1 } = {}) {
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
            remove: async () => ({ kind: 'gone', ours: true }),
            labelled: async () => [],
          },
          fresh: { look: async () => ({ kind: 'gone' }) },
          reconnect: () => undefined,
          watch: {
            state: () => world.state,
            check: async () => {
              journal.push('check');
              world.state = world.found;
              if (world.found.kind === 'unknown') throw new UnavailableError('docker', 'no answer');
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
          },
        },
      ],
    },
    { concurrency },
  );
  return { ...engines, world };
}

async function granted(taking: ReturnType<ReturnType<typeof createEngines>['take']>): Promise<EngineTurn> {
  const turn = await taking;
  if (turn?.outcome !== 'granted') throw new TypeError(`not granted: ${JSON.stringify(turn)}`);
  return turn;
}

describe('a turn at an engine', () => {
  it('no turn is given for a name that the process does not know', async () => {
    expect(await setUp().take('venus', calm)).toBeUndefined();
  });

  it('a turn is given at once, without a question to the engine, while the identity is confirmed', async () => {
    const { take, world } = setUp();
    await granted(take('mars', calm));
    expect(world.journal).toEqual([]);
    expect(world.permits).toBe(1);
  });

  it('a turn is given after a check while the identity is not known', async () => {
    const { take, world } = setUp();
    world.state = unknown;
    await granted(take('mars', calm));
    expect(world.journal).toEqual(['check']);
  });

  it('a turn gives its permit back when the engine does not answer with its identity', async () => {
    const { take, world } = setUp();
    [world.state, world.found] = [unknown, unknown];
    await expect(take('mars', calm)).rejects.toThrow('no answer');
    expect(world.permits).toBe(0);
  });

  it('a turn is held as service_unavailable while the breaker admits no job', async () => {
    const { take, world } = setUp();
    world.admits = false;
    expect(await take('mars', calm)).toEqual({
      outcome: 'held',
      errorCode: 'service_unavailable',
      errorMessage: 'the engine "mars" does not answer',
      retryInMs: 5_000,
    });
  });

  it('a turn is held as engine_mismatch while another engine answers, and gives its permit back', async () => {
    const { take, world } = setUp();
    [world.state, world.found] = [other, other];
    expect(await take('mars', calm)).toMatchObject({
      outcome: 'held',
      errorCode: 'engine_mismatch',
      errorMessage: expect.stringMatching(/id engine-2.* instead of id engine-1.*engines accept mars"$/),
    });
    expect(world.permits).toBe(0);
  });

  it('a turn waits for a free slot, and gives slot and permit back when it is released', async () => {
    const { take, world } = setUp();
    const first = await granted(take('mars', calm));
    const second = take('mars', calm);
    await world.clock.advance(0);
    expect(world.permits).toBe(2);
    first.release();
    (await granted(second)).release();
    expect(world.permits).toBe(0);
    await granted(take('mars', calm));
  });

  it('a turn gives its permit back when its job is aborted while it waits for a slot', async () => {
    const { take, world } = setUp();
    await granted(take('mars', calm));
    const stop = new AbortController();
    const second = take('mars', stop.signal);
    await world.clock.advance(0);
    stop.abort(new Error('lease lost'));
    await expect(second).rejects.toThrow('lease lost');
    expect(world.permits).toBe(1);
  });
});

describe('a call of a turn', () => {
  const never = (signal: AbortSignal): Promise<never> =>
    new Promise((_resolve, reject) => {
      // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- an abort reason is passed on as it is
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });

  it('a call without an answer makes the identity doubtful', async () => {
    const { take, world } = setUp();
    const { engine } = await granted(take('mars', calm));
    world.look = () => Promise.reject(new UnavailableError('docker', 'socket hang up'));
    await expect(engine.look(CONTAINER_ID, calm)).rejects.toThrow('socket hang up');
    expect(world.journal).toEqual(['suspect']);
  });

  it('a refused call leaves the identity confirmed, because a refusal is an answer', async () => {
    const { take, world } = setUp();
    const { engine } = await granted(take('mars', calm));
    world.look = () => Promise.reject(new EngineRefusalError('HTTP 500'));
    await expect(engine.look(CONTAINER_ID, calm)).rejects.toThrow('HTTP 500');
    expect(world.journal).toEqual([]);
  });

  it('a call that takes long hastens the next check where there are other engines', async () => {
    const { take, world } = setUp({ hasSiblings: true });
    const { engine } = await granted(take('mars', calm));
    const stop = new AbortController();
    world.look = never;
    const looking = engine.look(CONTAINER_ID, stop.signal);
    await world.clock.advance(1_499);
    expect(world.journal).toEqual([]);
    await world.clock.advance(1);
    expect(world.journal).toEqual(['hasten']);
    stop.abort(new Error('shutdown'));
    await expect(looking).rejects.toThrow('shutdown');
    expect(world.clock.pendingMs()).toEqual([]);
  });

  it('a call ends when its engine falls silent where there are other engines, so that its job gives its place back', async () => {
    const { take, world } = setUp({ hasSiblings: true });
    const { engine } = await granted(take('mars', calm));
    world.look = never;
    const looking = engine.look(CONTAINER_ID, calm);
    world.silence.abort(new UnavailableError('docker', 'silent twice'));
    await expect(looking).rejects.toThrow('silent twice');
    expect(world.journal).toEqual(['suspect']);
  });

  it('a call of the only engine outlasts its silence, and ends with its own deadline', async () => {
    const { take, world } = setUp();
    const { engine } = await granted(take('mars', calm));
    world.look = async (signal) => {
      world.silence.abort(new UnavailableError('docker', 'silent twice'));
      signal.throwIfAborted();
      return { kind: 'gone' };
    };
    expect(await engine.look(CONTAINER_ID, calm)).toEqual({ kind: 'gone' });
    expect(world.clock.pendingMs()).toEqual([]);
  });
});
