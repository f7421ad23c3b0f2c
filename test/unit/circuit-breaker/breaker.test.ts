import { describe, expect, it } from 'vitest';
import { TimeoutError } from '../../../src/domain/errors.js';
import { type BreakerWorld, type ClaimedJob, createBreakerWorld, unavailable } from './breaker-world.js';

const THRESHOLD = 5;

/** A breaker that the engine's outage has opened, and jobs that wait at its gate. */
async function openWorld(jobs = 3): Promise<BreakerWorld & { readonly waiting: readonly ClaimedJob[] }> {
  const world = createBreakerWorld();
  await world.fails('docker', THRESHOLD);
  const waiting: ClaimedJob[] = [];
  for (let i = 0; i < jobs; i++) waiting.push(await world.claimJob());
  return { ...world, waiting };
}

const statuses = (jobs: readonly ClaimedJob[]): string[] => jobs.map((job) => job.status());

describe('a closed breaker', () => {
  it('admits every job at once', async () => {
    const world = createBreakerWorld();
    expect(statuses([await world.claimJob(), await world.claimJob()])).toEqual(['running', 'running']);
    expect(world.clock.pendingMs()).toEqual([]);
  });

  it('opens at the fifth failure in a row of one dependency, and reports that once', async () => {
    const world = createBreakerWorld();
    await world.fails('docker', THRESHOLD - 1);
    expect((await world.claimJob()).status()).toBe('running');
    await world.fails('docker', 4);
    expect((await world.claimJob()).status()).toBe('waiting');
    expect(world.reports).toEqual(['docker unavailable']);
  });

  it('counts a timeout of an unknown dependency against the dependency that was called', () => {
    const { breaker } = createBreakerWorld();
    for (let i = 0; i < THRESHOLD; i++) breaker.startCall('docker').failed(new TimeoutError('no answer', 100));
    expect(breaker.states()).toEqual([{ dependency: 'docker', isOpen: true }]);
  });

  it('stays closed while answers come between the failures, as with one container that hangs', async () => {
    const world = createBreakerWorld();
    for (let i = 0; i < 20; i++) {
      await world.fails('docker', THRESHOLD - 1);
      await world.answers('docker');
    }
    expect((await world.claimJob()).status()).toBe('running');
  });

  it('does not add up the failures of different dependencies', async () => {
    const world = createBreakerWorld();
    for (const dependency of ['docker', 'postgresql', 'redis'] as const) await world.fails(dependency, THRESHOLD - 1);
    expect((await world.claimJob()).status()).toBe('running');
  });

  it('is not reset by an answer of another dependency', async () => {
    const world = createBreakerWorld();
    for (let i = 0; i < THRESHOLD; i++) {
      await world.answers('postgresql');
      await world.fails('docker');
    }
    expect((await world.claimJob()).status()).toBe('waiting');
  });

  it('ignores an aborted call and a bug', async () => {
    const world = createBreakerWorld();
    for (let i = 0; i < 2 * THRESHOLD; i++) await world.begin('docker').break(new Error('aborted'));
    expect((await world.claimJob()).status()).toBe('running');
  });

  it('counts a failure against the dependency that the error names', async () => {
    const world = createBreakerWorld();
    for (let i = 0; i < THRESHOLD; i++) await world.begin('docker').break(unavailable('queue'));
    expect(world.reports).toEqual(['queue unavailable']);
  });
});

describe('an open breaker', () => {
  it('admits one job after a second, the one that has waited longest', async () => {
    const { clock, waiting } = await openWorld();
    await clock.advance(999);
    expect(statuses(waiting)).toEqual(['waiting', 'waiting', 'waiting']);
    await clock.advance(1);
    expect(statuses(waiting)).toEqual(['running', 'waiting', 'waiting']);
  });

  it('admits the next job at once when no job waited at the end of the pause', async () => {
    const { clock, claimJob } = await openWorld(0);
    await clock.advance(60_000);
    expect(statuses([await claimJob(), await claimJob()])).toEqual(['running', 'waiting']);
  });

  it('admits all jobs as soon as a call of the probe is answered, and starts counting again', async () => {
    const world = await openWorld();
    await world.clock.advance(1_000);
    await world.answers('docker');
    expect(statuses(world.waiting)).toEqual(['running', 'running', 'running']);
    expect(world.reports).toEqual(['docker unavailable', 'docker answers after 1000']);
    await world.fails('docker', THRESHOLD - 1);
    expect((await world.claimJob()).status()).toBe('running');
    expect(world.clock.pendingMs()).toEqual([]);
  });

  it('pauses twice as long after each failed probe, up to ten seconds, and probes with one job after the other', async () => {
    const world = await openWorld(8);
    const pauses: number[] = [];
    for (let probe = 0; probe < 7; probe++) {
      const [pauseMs = Number.NaN] = world.clock.pendingMs();
      pauses.push(pauseMs);
      await world.clock.advance(pauseMs);
      await world.fails('docker', 2);
      world.waiting[probe]?.end();
    }
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 10_000, 10_000, 10_000]);
    expect(statuses(world.waiting)).toEqual([...Array<string>(7).fill('running'), 'waiting']);
  });

  it('starts with a short pause again after it was closed', async () => {
    const world = await openWorld();
    await world.clock.advance(1_000);
    await world.fails('docker');
    await world.clock.advance(2_000);
    await world.answers('docker');
    await world.fails('docker', THRESHOLD);
    expect(world.clock.pendingMs()).toEqual([1_000]);
  });

  it('reports a continuing outage at most every half minute', async () => {
    const world = await openWorld(100);
    for (let i = 0; i < 12; i++) {
      await world.clock.advance(world.clock.pendingMs()[0] ?? 0);
      await world.fails('docker');
    }
    expect(world.reports).toEqual([
      'docker unavailable',
      'docker still unavailable after 35000',
      'docker still unavailable after 65000',
      'docker still unavailable after 95000',
    ]);
  });

  it('admits the next probe at once when a probe ends without a call', async () => {
    const { clock, waiting } = await openWorld();
    await clock.advance(1_000);
    waiting[0]?.end();
    await clock.advance(0);
    expect(statuses(waiting)).toEqual(['running', 'running', 'waiting']);
  });

  it('admits another probe when a probe hangs, and ignores the late end of the first', async () => {
    const world = await openWorld();
    await world.clock.advance(1_000);
    const hanging = world.begin('docker');
    await world.clock.advance(30_000);
    expect(statuses(world.waiting)).toEqual(['running', 'running', 'waiting']);
    await hanging.fail();
    world.waiting[0]?.end();
    await world.clock.advance(0);
    expect(statuses(world.waiting)).toEqual(['running', 'running', 'waiting']);
    await world.answers('docker');
    expect(statuses(world.waiting)).toEqual(['running', 'running', 'running']);
  });

  it('ends the wait of an aborted job, and admits the job behind it', async () => {
    const { clock, waiting, breaker } = await openWorld();
    waiting[0]?.abort();
    await clock.advance(1_000);
    expect(statuses(waiting)).toEqual(['aborted', 'running', 'waiting']);
    const aborted = AbortSignal.abort(new Error('too late'));
    await expect(breaker.admit(aborted)).rejects.toThrow('too late');
  });

  it('admits no job once it is shut, neither those that wait nor later ones', async () => {
    const { waiting, breaker, claimJob, clock } = await openWorld();
    breaker.shut();
    await clock.advance(0);
    expect(statuses(waiting)).toEqual(['not admitted', 'not admitted', 'not admitted']);
    expect((await claimJob()).status()).toBe('not admitted');
  });
});

describe('calls that began before a change of the state', () => {
  it('do not open the breaker again after it was closed, however many of them fail', async () => {
    const world = createBreakerWorld();
    const caught = Array.from({ length: 20 }, () => world.begin('docker'));
    for (const call of caught.slice(0, THRESHOLD)) await call.fail();
    const job = await world.claimJob();
    await world.clock.advance(1_000);
    await world.answers('docker');
    for (const call of caught) await call.fail();
    expect(statuses([job, await world.claimJob()])).toEqual(['running', 'running']);
    expect(world.reports).toEqual(['docker unavailable', 'docker answers after 1000']);
  });

  it('do not end a probe', async () => {
    const world = createBreakerWorld();
    const caught = Array.from({ length: 8 }, () => world.begin('docker'));
    for (const call of caught.slice(0, THRESHOLD)) await call.fail();
    const waiting = [await world.claimJob(), await world.claimJob()];
    await world.clock.advance(1_000);
    for (const call of caught) await call.fail();
    await world.clock.advance(29_000);
    expect(statuses(waiting)).toEqual(['running', 'waiting']);
  });

  it('do not end a probe that was admitted after they began', async () => {
    const world = await openWorld(0);
    await world.clock.advance(1_000);
    const leftover = world.begin('docker');
    const waiting = [await world.claimJob(), await world.claimJob()];
    await leftover.fail();
    // The probe's time, not a new pause.
    expect(world.clock.pendingMs()).toEqual([30_000]);
    await world.answers('docker');
    expect(statuses(waiting)).toEqual(['running', 'running']);
  });

  it('do not close the breaker: they may have been answered before the outage', async () => {
    const world = createBreakerWorld();
    const early = world.begin('docker');
    await world.fails('docker', THRESHOLD);
    await early.answer();
    expect((await world.claimJob()).status()).toBe('waiting');
  });
});

describe('two unavailable dependencies', () => {
  it('must both answer, and a probe that fails at the second one counts as failed', async () => {
    const world = await openWorld(4);
    await world.clock.advance(1_000);
    await world.fails('redis');
    await world.clock.advance(2_000);
    await world.answers('redis');
    expect(statuses(world.waiting)).toEqual(['running', 'running', 'waiting', 'waiting']);
    await world.answers('docker');
    expect(statuses(world.waiting)).toEqual(['running', 'running', 'running', 'running']);
    expect(world.reports).toEqual([
      'docker unavailable',
      'redis unavailable',
      'redis answers after 2000',
      'docker answers after 3000',
    ]);
  });

  it('are listed apart in the states', async () => {
    const { breaker, answers, fails } = createBreakerWorld();
    await answers('postgresql');
    await fails('docker', THRESHOLD);
    expect(breaker.states()).toEqual([
      { dependency: 'postgresql', isOpen: false },
      { dependency: 'docker', isOpen: true },
    ]);
  });

  it('report the end of an outage at the first answer, also of one that began while the breaker was open', async () => {
    const world = createBreakerWorld({ threshold: 2 });
    await world.fails('docker', 2);
    await world.fails('redis', 2);
    await world.answers('redis');
    expect(world.reports).toEqual(['docker unavailable', 'redis unavailable', 'redis answers after 0']);
    expect((await world.claimJob()).status()).toBe('waiting');
  });
});
