import { describe, expect, it } from 'vitest';
import { UnavailableError } from '../../../src/domain/errors.js';
import type { createEngines } from '../../../src/engines/engines.js';
import { calm, confirmed, granted, other, setUp, unknown } from './turn-world.js';

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
