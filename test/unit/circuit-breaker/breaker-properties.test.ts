import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Dependency } from '../../../src/domain/errors.js';
import { type BreakerWorld, createBreakerWorld, type ClaimedJob, type OpenCall } from './breaker-world.js';

const DEPENDENCIES = ['docker', 'postgresql', 'redis'] as const;
const PROBE_LIMIT_MS = 30_000;

type Step =
  | { readonly do: 'claim' }
  | { readonly do: 'end' | 'abort'; readonly which: number }
  | { readonly do: 'begin'; readonly dependency: Dependency }
  | { readonly do: 'answer' | 'fail'; readonly which: number }
  | { readonly do: 'pass'; readonly ms: number };

const which = fc.nat({ max: 30 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('claim' as const) }),
  fc.record({ do: fc.constantFrom('end' as const, 'abort' as const), which }),
  fc.record({ do: fc.constant('begin' as const), dependency: fc.constantFrom(...DEPENDENCIES) }),
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('answer' as const, 'fail' as const), which }) },
  fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(1, 500, 1_000, 10_000, PROBE_LIMIT_MS) }),
);

interface PlayedCall extends OpenCall {
  /** How many probes had been admitted when it began. */
  readonly afterProbes: number;
}

/** Carries out the steps, and checks the invariants after each. */
function createPlayer(world: BreakerWorld) {
  const jobs: ClaimedJob[] = [];
  const calls: PlayedCall[] = [];
  /** The last job that was admitted during an outage, while the other jobs may have to wait for it. */
  let probe: { readonly job: ClaimedJob; readonly sinceMs: number } | undefined;
  let probes = 0;

  const isOpen = (): boolean => world.breaker.states().some(({ isOpen }) => isOpen);
  const running = (): ClaimedJob[] => jobs.filter((job) => job.status() === 'running');
  const pick = <T>(items: readonly T[], index: number): T | undefined => items[index % Math.max(1, items.length)];

  async function apply(next: Step): Promise<void> {
    switch (next.do) {
      case 'claim':
        jobs.push(await world.claimJob());
        return;
      case 'end': {
        const job = pick(running(), next.which);
        job?.end();
        if (job === probe?.job) probe = undefined;
        return;
      }
      case 'abort':
        pick(jobs, next.which)?.abort();
        return;
      case 'begin':
        calls.push({ ...world.begin(next.dependency), afterProbes: probes });
        return;
      case 'answer':
        await pick(calls, next.which)?.answer();
        return;
      case 'fail': {
        const call = pick(calls, next.which);
        await call?.fail();
        if (call?.afterProbes === probes) probe = undefined;
        return;
      }
      case 'pass':
        await world.clock.advance(next.ms);
    }
  }

  async function play(next: Step): Promise<void> {
    const before = new Set(running());
    await apply(next);
    await world.clock.advance(0);
    const nowMs = world.clock.monotonicMs();
    if (probe !== undefined && nowMs - probe.sinceMs >= PROBE_LIMIT_MS) probe = undefined;
    const admitted = running().filter((job) => !before.has(job));
    if (!isOpen()) {
      probe = undefined;
      expect(jobs.filter((job) => job.status() === 'waiting')).toEqual([]);
      return;
    }
    const [job] = admitted;
    if (job === undefined) return;
    expect(admitted).toHaveLength(1);
    expect(probe).toBeUndefined();
    probe = { job, sinceMs: nowMs };
    probes += 1;
  }

  return { play, jobs };
}

it('after any events one probe runs at a time, a closed breaker makes no job wait, and every wait ends', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const world = createBreakerWorld({ threshold: 2 });
      const { play, jobs } = createPlayer(world);
      for (const next of steps) await play(next);
      for (const dependency of DEPENDENCIES) await world.answers(dependency);
      expect(jobs.filter((job) => job.status() === 'waiting')).toEqual([]);
      expect(world.clock.pendingMs()).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

it('all waiting jobs probe one after the other while no call is answered', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 20 }), async (count) => {
      const world = createBreakerWorld({ threshold: 1 });
      await world.fails('docker');
      const jobs: ClaimedJob[] = [];
      for (let i = 0; i < count; i++) jobs.push(await world.claimJob());
      for (const job of jobs) {
        await world.clock.advance(10_000);
        expect(job.status()).toBe('running');
        await world.fails('docker');
        job.end();
      }
    }),
    { numRuns: 20 },
  );
});
