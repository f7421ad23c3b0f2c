import { describe, expect, test } from 'vitest';
import { scheduleOf } from '../../../faults/experiments/histories/draw.js';
import { TEST_SEEDS } from '../../../faults/experiments/histories/named-seeds.js';
import {
  type Act,
  isServed,
  type Schedule,
  shownSchedule,
  type Step,
} from '../../../faults/experiments/histories/schedule.js';

const SEEDS = Array.from({ length: 500 }, (_, seed) => seed);
const schedules = SEEDS.map(scheduleOf);
const steps = schedules.flatMap((schedule) => schedule.steps);

describe('the schedule of a seeded history', () => {
  test('the same seed gives the same schedule', () => {
    for (const seed of SEEDS) expect(scheduleOf(seed)).toEqual(schedules[seed]);
    expect(shownSchedule(scheduleOf(7))).toEqual(shownSchedule(scheduleOf(7)));
  });

  test('another seed gives another schedule', () => {
    const texts = schedules.map(({ seed: _seed, ...rest }) => JSON.stringify(rest));
    expect(new Set(texts).size).toBe(SEEDS.length);
  });

  test('the steps of a schedule are in order and within its time', () => {
    for (const { steps, endsMs } of schedules) {
      const times = steps.map(({ atMs }) => atMs);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
      expect(Math.max(...times)).toBeLessThan(endsMs);
    }
  });

  test('the schedules contain every operation, every fault and every situation', () => {
    const kinds = new Set(steps.map(({ act }) => act.kind));
    expect([...kinds].toSorted()).toEqual(
      [
        ['ask', 'hold', 'occupy', 'purge', 'replay', 'service', 'sweep', 'unhold'],
        ['cut line', 'engine', 'freeze', 'freeze at', 'kill', 'kill at', 'line', 'slow line', 'swap'],
      ]
        .flat()
        .toSorted(),
    );
    expect(new Set(schedules.flatMap(({ games }) => games)).size).toBe(11);
    expect(new Set(schedules.map(({ store }) => store))).toEqual(new Set(['postgres', 'redis']));
  });

  test('the seeds of the test run contain every kind on each store', () => {
    const all = new Set(schedules.flatMap(kindsOf));
    const played = new Set(TEST_SEEDS.map(scheduleOf).flatMap(kindsOf));
    expect([...all].filter((kind) => !played.has(kind))).toEqual([]);
    expect(all.size).toBe(92);
  });

  test('a schedule breaks each line in only one way at a time', () => {
    const overlapping = schedules.filter(({ steps }) =>
      steps.some((step) => isOnLine(step) && steps.some((other) => other !== step && reachesInto(step, other))),
    );
    expect(overlapping).toEqual([]);
  });

  test('a schedule without Redis has no fault on a line to Redis', () => {
    const odd = schedules.filter(
      ({ store, steps }) => store === 'postgres' && steps.some(({ act }) => 'line' in act && act.line === 'redis'),
    );
    expect(odd).toEqual([]);
  });

  test('the other service leaves wrong records alone', () => {
    const served = schedules.flatMap(({ games, steps }) =>
      steps.flatMap(({ act }) => (act.kind === 'service' ? (games[act.game] ?? []) : [])),
    );
    expect(served.filter((situation) => !isServed(situation))).toEqual([]);
  });
});

const kindsOf = ({ store, games, steps }: Schedule): readonly string[] =>
  [...games, ...steps.map(({ act }) => kindOf(act))].map((kind) => `${store}: ${kind}`);

const kindOf = (act: Act): string => {
  if (act.kind === 'service') return `service ${act.what}`;
  if (act.kind === 'ask') return `ask ${act.how}`;
  return act.kind === 'line' ? `line ${act.line} ${act.mode}` : act.kind;
};

const isOnLine = ({ act }: Step): boolean => 'line' in act;

const reachesInto = (step: Step, other: Step): boolean =>
  'line' in step.act &&
  'line' in other.act &&
  step.act.line === other.act.line &&
  'forMs' in step.act &&
  step.atMs <= other.atMs &&
  other.atMs < step.atMs + step.act.forMs;
