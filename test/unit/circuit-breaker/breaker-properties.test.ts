import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Dependency } from '../../../src/domain/errors.js';
import { type BreakerWorld, createBreakerWorld, type Guest, type OpenCall } from './breaker-world.js';

const DEPENDENCIES = ['docker', 'postgresql', 'redis'] as const;
const PATIENCE_MS = 30_000;

type Step =
  | { readonly do: 'come' }
  | { readonly do: 'leave' | 'abort'; readonly which: number }
  | { readonly do: 'begin'; readonly dependency: Dependency }
  | { readonly do: 'answer' | 'fail'; readonly which: number }
  | { readonly do: 'pass'; readonly ms: number };

const which = fc.nat({ max: 30 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('come' as const) }),
  fc.record({ do: fc.constantFrom('leave' as const, 'abort' as const), which }),
  fc.record({ do: fc.constant('begin' as const), dependency: fc.constantFrom(...DEPENDENCIES) }),
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('answer' as const, 'fail' as const), which }) },
  fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(1, 500, 1_000, 10_000, PATIENCE_MS) }),
);

interface Told extends OpenCall {
  /** How many guests had been let in alone when it began. */
  readonly afterProbes: number;
}

/** Plays the steps, and looks after each whether what must always be true is true. */
function createPlayer(world: BreakerWorld) {
  const guests: Guest[] = [];
  const calls: Told[] = [];
  /** The last guest that was let in while something was away, as long as it may hold up the others. */
  let probe: { readonly guest: Guest; readonly sinceMs: number } | undefined;
  let probes = 0;

  const isAway = (): boolean => world.breaker.states().some(({ away }) => away);
  const inside = (): Guest[] => guests.filter((guest) => guest.status() === 'in');
  const pick = <T>(items: readonly T[], index: number): T | undefined => items[index % Math.max(1, items.length)];

  async function apply(next: Step): Promise<void> {
    switch (next.do) {
      case 'come':
        guests.push(await world.come());
        return;
      case 'leave': {
        const guest = pick(inside(), next.which);
        guest?.leave();
        if (guest === probe?.guest) probe = undefined;
        return;
      }
      case 'abort':
        pick(guests, next.which)?.abort();
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
    const before = new Set(inside());
    await apply(next);
    await world.clock.advance(0);
    const nowMs = world.clock.monotonicMs();
    if (probe !== undefined && nowMs - probe.sinceMs >= PATIENCE_MS) probe = undefined;
    const entered = inside().filter((guest) => !before.has(guest));
    if (!isAway()) {
      probe = undefined;
      expect(guests.filter((guest) => guest.status() === 'waiting')).toEqual([]);
      return;
    }
    const [guest] = entered;
    if (guest === undefined) return;
    expect(entered).toHaveLength(1);
    expect(probe).toBeUndefined();
    probe = { guest, sinceMs: nowMs };
    probes += 1;
  }

  return { play, guests };
}

it('whatever happens: one probe at a time, nobody waits at an open door, and every wait ends', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const world = createBreakerWorld({ threshold: 2 });
      const { play, guests } = createPlayer(world);
      for (const next of steps) await play(next);
      for (const dependency of DEPENDENCIES) await world.answers(dependency);
      expect(guests.filter((guest) => guest.status() === 'waiting')).toEqual([]);
      expect(world.clock.pendingMs()).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

it('while nothing answers, all who wait are tried one after the other', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 20 }), async (count) => {
      const world = createBreakerWorld({ threshold: 1 });
      await world.fails('docker');
      const guests: Guest[] = [];
      for (let i = 0; i < count; i++) guests.push(await world.come());
      for (const guest of guests) {
        await world.clock.advance(10_000);
        expect(guest.status()).toBe('in');
        await world.fails('docker');
        guest.leave();
      }
    }),
    { numRuns: 20 },
  );
});
