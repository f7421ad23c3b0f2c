import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { ContainerEngine, EngineTurn } from '../../../src/cleanup/ports.js';
import { type Dependency, EngineRefusalError, messageOf, UnavailableError } from '../../../src/domain/errors.js';
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

async function granted(taking: ReturnType<ReturnType<typeof createEngines>['take']>): Promise<EngineTurn> {
  const turn = await taking;
  if (turn?.outcome !== 'granted') throw new TypeError(`not granted: ${JSON.stringify(turn)}`);
  return turn;
}

describe('a turn at an engine', () => {
  it('is not given for a name that the process does not know', async () => {
    expect(await setUp().take('venus', calm)).toBeUndefined();
  });

  it('is given at once while the identity is confirmed, without a question', async () => {
    const { take, world } = setUp();
    await granted(take('mars', calm));
    expect(world.journal).toEqual([]);
    expect(world.permits).toBe(1);
  });

  it('is given after a check while the identity is not known', async () => {
    const { take, world } = setUp();
    world.state = unknown;
    await granted(take('mars', calm));
    expect(world.journal).toEqual(['check', 'docker answered']);
  });

  it('gives the permit back when the engine does not say who it is', async () => {
    const { take, world } = setUp();
    [world.state, world.found] = [unknown, unknown];
    await expect(take('mars', calm)).rejects.toThrow('no answer');
    expect(world.permits).toBe(0);
    expect(world.journal).toEqual(['check', 'docker failed: no answer']);
  });

  it('is held as service_unavailable while the breaker admits no job', async () => {
    const { take, world } = setUp();
    world.admits = false;
    expect(await take('mars', calm)).toEqual({
      outcome: 'held',
      errorCode: 'service_unavailable',
      errorMessage: 'the engine "mars" does not answer',
      retryInMs: 5_000,
      firstRow: 'written',
    });
  });

  it('is held as engine_mismatch while another engine answers, and gives its permit back', async () => {
    const { take, world } = setUp();
    [world.state, world.found] = [other, other];
    expect(await take('mars', calm)).toMatchObject({
      outcome: 'held',
      errorCode: 'engine_mismatch',
      errorMessage: expect.stringMatching(/id engine-2.* instead of id engine-1.*engines accept mars"$/),
    });
    expect(world.permits).toBe(0);
  });

  it('waits for a free slot, and gives slot and permit back when it is released', async () => {
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

  it('gives the permit back when its job is aborted while it waits for a slot', async () => {
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

describe('a turn at one of several engines', () => {
  it('is held without a question while the engine is silent, so that no job is the probe of the breaker', async () => {
    const { take, world } = setUp({ hasSiblings: true });
    world.state = unknown;
    world.silence.abort(new UnavailableError('docker', 'silent twice'));
    expect(await take('mars', calm)).toMatchObject({ errorCode: 'service_unavailable', firstRow: 'written' });
    expect([world.journal, world.permits]).toEqual([[], 0]);
  });

  it('is held with the reason when the engine does not say who it is, and gives permit and slot back', async () => {
    const { take, world } = setUp({ hasSiblings: true });
    [world.state, world.found] = [unknown, unknown];
    expect(await take('mars', calm)).toMatchObject({
      outcome: 'held',
      errorCode: 'service_unavailable',
      errorMessage: 'no answer',
    });
    expect(world.permits).toBe(0);
    world.found = confirmed;
    await granted(take('mars', calm));
  });

  it('fails when the database does not say who the engine should be: that outage is one of the database', async () => {
    const { take, world } = setUp({ hasSiblings: true });
    [world.state, world.found, world.checkFailsAt] = [unknown, unknown, 'postgresql'];
    await expect(take('mars', calm)).rejects.toThrow('no answer');
    expect(world.permits).toBe(0);
  });

  it('is held without a row when all slots are taken and none is given back for a moment', async () => {
    const { take, world } = setUp({ hasSiblings: true });
    await granted(take('mars', calm));
    const second = take('mars', calm);
    await world.clock.advance(500);
    expect(await second).toMatchObject({ outcome: 'held', firstRow: 'none', retryInMs: 1_000 });
    expect(await take('mars', calm)).toMatchObject({ outcome: 'held', firstRow: 'none' });
    expect(world.permits).toBe(1);
  });

  it('is held for longer the more jobs are held, up to half a minute, and for the usual time after that', async () => {
    const { take, world } = setUp({ hasSiblings: true });
    world.admits = false;
    const delays: (number | undefined)[] = [];
    for (let job = 0; job < 300; job++) delays.push(delayOf(await take('mars', calm)));
    expect(delays.slice(0, 3)).toEqual([5_000, 5_100, 5_200]);
    expect(delays.slice(-2)).toEqual([30_000, 30_000]);
    await world.clock.advance(30_000);
    expect(delayOf(await take('mars', calm))).toBe(5_000);
  });
});

const delayOf = (turn: Awaited<ReturnType<ReturnType<typeof createEngines>['take']>>): number | undefined =>
  turn?.outcome === 'held' ? turn.retryInMs : undefined;

describe('a call of a turn', () => {
  const never = (signal: AbortSignal): Promise<never> =>
    new Promise((_resolve, reject) => {
      // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- an abort reason is passed on as it is
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });

  it('makes the identity doubtful when it gets no answer', async () => {
    const { take, world } = setUp();
    const { engine } = await granted(take('mars', calm));
    world.look = () => Promise.reject(new UnavailableError('docker', 'socket hang up'));
    await expect(engine.look(CONTAINER_ID, calm)).rejects.toThrow('socket hang up');
    expect(world.journal).toEqual(['suspect']);
  });

  it('leaves the identity confirmed when the engine refuses it, because that is an answer', async () => {
    const { take, world } = setUp();
    const { engine } = await granted(take('mars', calm));
    world.look = () => Promise.reject(new EngineRefusalError('HTTP 500'));
    await expect(engine.look(CONTAINER_ID, calm)).rejects.toThrow('HTTP 500');
    expect(world.journal).toEqual([]);
  });

  it('hastens the next check when it takes long beside other engines', async () => {
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

  it('ends when its engine falls silent beside other engines, so that its job gives its place back', async () => {
    const { take, world } = setUp({ hasSiblings: true });
    const { engine } = await granted(take('mars', calm));
    world.look = never;
    const looking = engine.look(CONTAINER_ID, calm);
    world.silence.abort(new UnavailableError('docker', 'silent twice'));
    await expect(looking).rejects.toThrow('silent twice');
    expect(world.journal).toEqual(['suspect']);
  });

  it('says that a removal which the silence ended may still be carried out, and is an outage, not a bug', async () => {
    const { take, world } = setUp({ hasSiblings: true });
    const { engine } = await granted(take('mars', calm));
    world.remove = never;
    const removing = engine.remove(CONTAINER_ID, calm);
    world.silence.abort(new UnavailableError('docker', 'silent twice'));
    await expect(removing).rejects.toThrow(UnavailableError);
    await expect(removing).rejects.toThrow(
      `the removal of container ${CONTAINER_ID} may still be carried out: silent twice`,
    );
  });

  it('leaves no listener on the signals that outlive it', async () => {
    const { take, world } = setUp({ hasSiblings: true });
    const { engine } = await granted(take('mars', calm));
    const lease = new AbortController();
    await engine.look(CONTAINER_ID, lease.signal);
    expect([lease.signal, world.silence.signal].map((signal) => getEventListeners(signal, 'abort').length)).toEqual([
      0, 0,
    ]);
  });

  it('outlasts the silence of the only engine: its own deadline ends it', async () => {
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
