import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { EngineRefusalError, UnavailableError } from '../../../src/domain/errors.js';
import { CONTAINER_ID } from '../../support/records.js';
import { calm, granted, setUp } from './turn-world.js';

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
