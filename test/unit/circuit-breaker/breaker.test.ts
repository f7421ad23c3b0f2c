import { describe, expect, it } from 'vitest';
import { away, type BreakerWorld, createBreakerWorld, type Guest } from './breaker-world.js';

const THRESHOLD = 5;

/** A world whose engine is away, and jobs that wait at the door. */
async function openWorld(guests = 3): Promise<BreakerWorld & { readonly waiting: readonly Guest[] }> {
  const world = createBreakerWorld();
  await world.fails('docker', THRESHOLD);
  const waiting: Guest[] = [];
  for (let i = 0; i < guests; i++) waiting.push(await world.come());
  return { ...world, waiting };
}

const statuses = (guests: readonly Guest[]): string[] => guests.map((guest) => guest.status());

describe('a closed breaker', () => {
  it('lets everybody in at once', async () => {
    const world = createBreakerWorld();
    expect(statuses([await world.come(), await world.come()])).toEqual(['in', 'in']);
    expect(world.clock.pendingMs()).toEqual([]);
  });

  it('opens at the fifth failure in a row of one dependency, and says so once', async () => {
    const world = createBreakerWorld();
    await world.fails('docker', THRESHOLD - 1);
    expect((await world.come()).status()).toBe('in');
    await world.fails('docker', 4);
    expect((await world.come()).status()).toBe('waiting');
    expect(world.told).toEqual(['docker away']);
  });

  it('stays closed while answers come between the failures, as with one container that hangs', async () => {
    const world = createBreakerWorld();
    for (let i = 0; i < 20; i++) {
      await world.fails('docker', THRESHOLD - 1);
      await world.answers('docker');
    }
    expect((await world.come()).status()).toBe('in');
  });

  it('does not add up the failures of different dependencies', async () => {
    const world = createBreakerWorld();
    for (const dependency of ['docker', 'postgresql', 'redis'] as const) await world.fails(dependency, THRESHOLD - 1);
    expect((await world.come()).status()).toBe('in');
  });

  it('is not reset by an answer of another dependency', async () => {
    const world = createBreakerWorld();
    for (let i = 0; i < THRESHOLD; i++) {
      await world.answers('postgresql');
      await world.fails('docker');
    }
    expect((await world.come()).status()).toBe('waiting');
  });

  it('learns nothing from what was aborted or is a bug', async () => {
    const world = createBreakerWorld();
    for (let i = 0; i < 2 * THRESHOLD; i++) await world.begin('docker').break(new Error('aborted'));
    expect((await world.come()).status()).toBe('in');
  });

  it('blames the dependency that the error names', async () => {
    const world = createBreakerWorld();
    for (let i = 0; i < THRESHOLD; i++) await world.begin('docker').break(away('queue'));
    expect(world.told).toEqual(['queue away']);
  });

  it('gives back what the call gave', async () => {
    const { breaker } = createBreakerWorld();
    await expect(breaker.watch('docker', async () => 7)).resolves.toBe(7);
    const thrown = away('docker');
    await expect(breaker.watch('docker', () => Promise.reject(thrown))).rejects.toBe(thrown);
  });
});

describe('an open breaker', () => {
  it('lets one in after a second, the one that came first', async () => {
    const { clock, waiting } = await openWorld();
    await clock.advance(999);
    expect(statuses(waiting)).toEqual(['waiting', 'waiting', 'waiting']);
    await clock.advance(1);
    expect(statuses(waiting)).toEqual(['in', 'waiting', 'waiting']);
  });

  it('lets the next one in at once when nobody was there as the pause ended', async () => {
    const { clock, come } = await openWorld(0);
    await clock.advance(60_000);
    expect(statuses([await come(), await come()])).toEqual(['in', 'waiting']);
  });

  it('lets all in as soon as a call of the probe is answered, and is as new', async () => {
    const world = await openWorld();
    await world.clock.advance(1_000);
    await world.answers('docker');
    expect(statuses(world.waiting)).toEqual(['in', 'in', 'in']);
    expect(world.told).toEqual(['docker away', 'docker back after 1000']);
    await world.fails('docker', THRESHOLD - 1);
    expect((await world.come()).status()).toBe('in');
    expect(world.clock.pendingMs()).toEqual([]);
  });

  it('pauses twice as long after each probe that fails, up to ten seconds, and goes round', async () => {
    const world = await openWorld(8);
    const pauses: number[] = [];
    for (let probe = 0; probe < 7; probe++) {
      const [pauseMs = Number.NaN] = world.clock.pendingMs();
      pauses.push(pauseMs);
      await world.clock.advance(pauseMs);
      await world.fails('docker', 2);
      world.waiting[probe]?.leave();
    }
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 10_000, 10_000, 10_000]);
    expect(statuses(world.waiting)).toEqual([...Array<string>(7).fill('in'), 'waiting']);
  });

  it('begins with a short pause again after it was closed', async () => {
    const world = await openWorld();
    await world.clock.advance(1_000);
    await world.fails('docker');
    await world.clock.advance(2_000);
    await world.answers('docker');
    await world.fails('docker', THRESHOLD);
    expect(world.clock.pendingMs()).toEqual([1_000]);
  });

  it('reminds at most every half minute', async () => {
    const world = await openWorld(100);
    for (let i = 0; i < 12; i++) {
      await world.clock.advance(world.clock.pendingMs()[0] ?? 0);
      await world.fails('docker');
    }
    expect(world.told).toEqual([
      'docker away',
      'docker still away after 35000',
      'docker still away after 65000',
      'docker still away after 95000',
    ]);
  });

  it('gives the turn on at once when the probe ends without having asked', async () => {
    const { clock, waiting } = await openWorld();
    await clock.advance(1_000);
    waiting[0]?.leave();
    await clock.advance(0);
    expect(statuses(waiting)).toEqual(['in', 'in', 'waiting']);
  });

  it('lets another one try when the probe hangs, and does not mind its late ending', async () => {
    const world = await openWorld();
    await world.clock.advance(1_000);
    const hanging = world.begin('docker');
    await world.clock.advance(30_000);
    expect(statuses(world.waiting)).toEqual(['in', 'in', 'waiting']);
    await hanging.fail();
    world.waiting[0]?.leave();
    await world.clock.advance(0);
    expect(statuses(world.waiting)).toEqual(['in', 'in', 'waiting']);
    await world.answers('docker');
    expect(statuses(world.waiting)).toEqual(['in', 'in', 'in']);
  });

  it('ends the wait of a job that is told to stop, and passes it over', async () => {
    const { clock, waiting, breaker } = await openWorld();
    waiting[0]?.abort();
    await clock.advance(1_000);
    expect(statuses(waiting)).toEqual(['told to stop', 'in', 'waiting']);
    const aborted = AbortSignal.abort(new Error('too late'));
    await expect(breaker.admit(aborted)).rejects.toThrow('too late');
  });

  it('turns everybody away once it is shut, also those that come later', async () => {
    const { waiting, breaker, come, clock } = await openWorld();
    breaker.shut();
    await clock.advance(0);
    expect(statuses(waiting)).toEqual(['turned away', 'turned away', 'turned away']);
    expect((await come()).status()).toBe('turned away');
  });
});

describe('calls that began earlier', () => {
  it('do not open it again after it was closed, however many of them fail', async () => {
    const world = createBreakerWorld();
    const caught = Array.from({ length: 20 }, () => world.begin('docker'));
    for (const call of caught.slice(0, THRESHOLD)) await call.fail();
    const guest = await world.come();
    await world.clock.advance(1_000);
    await world.answers('docker');
    for (const call of caught) await call.fail();
    expect(statuses([guest, await world.come()])).toEqual(['in', 'in']);
    expect(world.told).toEqual(['docker away', 'docker back after 1000']);
  });

  it('do not end the turn of a probe', async () => {
    const world = createBreakerWorld();
    const caught = Array.from({ length: 8 }, () => world.begin('docker'));
    for (const call of caught.slice(0, THRESHOLD)) await call.fail();
    const waiting = [await world.come(), await world.come()];
    await world.clock.advance(1_000);
    for (const call of caught) await call.fail();
    await world.clock.advance(29_000);
    expect(statuses(waiting)).toEqual(['in', 'waiting']);
  });

  it('do not end the turn of a probe that came after them either', async () => {
    const world = await openWorld(0);
    await world.clock.advance(1_000);
    const leftover = world.begin('docker');
    const waiting = [await world.come(), await world.come()];
    await leftover.fail();
    // The probe's time, not a new pause.
    expect(world.clock.pendingMs()).toEqual([30_000]);
    await world.answers('docker');
    expect(statuses(waiting)).toEqual(['in', 'in']);
  });

  it('do not close it: they were answered before it went away', async () => {
    const world = createBreakerWorld();
    const early = world.begin('docker');
    await world.fails('docker', THRESHOLD);
    await early.answer();
    expect((await world.come()).status()).toBe('waiting');
  });
});

describe('two dependencies away', () => {
  it('must both answer, and a probe that gets no further than the second counts as failed', async () => {
    const world = await openWorld(4);
    await world.clock.advance(1_000);
    await world.fails('redis');
    await world.clock.advance(2_000);
    await world.answers('redis');
    expect(statuses(world.waiting)).toEqual(['in', 'in', 'waiting', 'waiting']);
    await world.answers('docker');
    expect(statuses(world.waiting)).toEqual(['in', 'in', 'in', 'in']);
    expect(world.told).toEqual(['docker away', 'redis away', 'redis back after 2000', 'docker back after 3000']);
  });

  it('are told apart in the states', async () => {
    const { breaker, answers, fails } = createBreakerWorld();
    await answers('postgresql');
    await fails('docker', THRESHOLD);
    expect(breaker.states()).toEqual([
      { dependency: 'postgresql', away: false },
      { dependency: 'docker', away: true },
    ]);
  });
});
