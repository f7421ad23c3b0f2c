/** Draws a history's schedule from its seed, by nothing but the seed. */
import { POINTS } from '../../laboratory/points.js';
import { createRandom, type Random } from '../../laboratory/random.js';
import { engineFaults } from '../engine-calls/faults.js';
import {
  type Act,
  type Fault,
  isServed,
  type Operation,
  type Schedule,
  type Situation,
  type Step,
} from './schedule.js';

/** The workers' deadline for calls of the engine: the faults that concern time are made for it. */
export const DOCKER_TIMEOUT_MS = 1_000;
/** How long the workers' lease lasts. */
export const LEASE_TTL_MS = 2_000;
export const WORKERS = 2;

type Weighted<Value> = readonly (readonly [number, Value])[];

const SITUATIONS: Weighted<Situation> = [
  [6, 'due'],
  [5, 'just stopped'],
  [4, 'running'],
  [1, 'removed'],
  [2, 'held'],
  [1, 'without container'],
  [2, 'gone'],
  [1, 'gone, its id is a name'],
  [1, 'foreign'],
  [1, 'short id'],
  [1, 'no record'],
];

const SERVICES = [
  [4, 'start'],
  [5, 'stop'],
  [2, 'restart'],
  [2, 'recreate'],
  [1, 'rename'],
  [2, 'rude start'],
  [2, 'rude stop'],
] as const;

const ASKS = [
  [8, 'plain'],
  [4, 'command'],
  [3, 'expected'],
  [1, 'expected another'],
  [1, 'nonsense'],
] as const;

const SOURCES = [
  [4, 'admin_rest'],
  [2, 'gm_rest'],
  [1, 'lobby_stream'],
  [2, 'operator_cli'],
  [2, 'auto_ttl'],
] as const;

const OPERATIONS: Weighted<Operation['kind']> = [
  [9, 'ask'],
  [7, 'service'],
  [3, 'sweep'],
  [1, 'hold'],
  [1, 'unhold'],
  [2, 'replay'],
  [1, 'purge'],
  [2, 'occupy'],
];

/** Without `swap`, which is drawn for itself. */
const FAULTS: Weighted<Exclude<Fault['kind'], 'swap'>> = [
  [6, 'engine'],
  [4, 'line'],
  [2, 'slow line'],
  [2, 'cut line'],
  [1, 'kill'],
  [2, 'freeze'],
  // Each costs a new process.
  [1, 'kill at'],
  [3, 'freeze at'],
];

const LINE_MODES = ['blackhole', 'reset', 'refuse', 'mute-client', 'mute-server', 'lost-end'] as const;
const ENGINE_FAULTS = engineFaults(DOCKER_TIMEOUT_MS).map(({ name }) => name);

const SHORTEST_MS = 4_000;
const LONGEST_MS = 6_000;
/** Before this nothing breaks: there would be nothing to break. */
const QUIET_MS = 200;
const LEASE_LIVES_MS = 5_000;

export function scheduleOf(seed: number): Schedule {
  const random = createRandom(seed);
  const games = Array.from({ length: random.between(3, 4) }, () => weighted(random, SITUATIONS));
  const store = random.pick(['postgres', 'redis'] as const);
  const endsMs = random.between(SHORTEST_MS, LONGEST_MS);
  const steps = [...drawOperations(random, games, endsMs), ...drawFaults(random, games, { store, endsMs })];
  const aged = [...games.keys()].filter(() => random.next() < 0.5);
  steps.push(...drawSwap(random, endsMs));
  // Of two at the same time the one drawn first comes first: sorting keeps their order.
  steps.sort((a, b) => a.atMs - b.atMs);
  return { seed, store, games, steps, endsMs, aged };
}

function drawOperations(random: Random, games: readonly Situation[], endsMs: number): readonly Step[] {
  const count = random.between(12, 18);
  // Early ones more often, so that faults have something to meet.
  const time = (): number => Math.floor(random.next() * random.next() * (endsMs - QUIET_MS));
  return Array.from({ length: count }, () => ({ atMs: time(), act: drawOperation(random, games) }));
}

function drawOperation(random: Random, games: readonly Situation[]): Operation {
  const kind = weighted(random, OPERATIONS);
  const game = random.between(0, games.length - 1);
  switch (kind) {
    case 'sweep':
      return { kind };
    case 'service': {
      const served = [...games.keys()].filter((game) => isServed(games[game] ?? 'no record'));
      if (served.length === 0) return { kind: 'sweep' };
      return { kind, game: random.pick(served), what: weighted(random, SERVICES) };
    }
    case 'ask':
      return { kind, game, how: weighted(random, ASKS), source: weighted(random, SOURCES) };
    case 'hold':
    case 'unhold':
    case 'replay':
    case 'purge':
      return { kind, game };
    case 'occupy':
      return { kind, game, forMs: random.between(200, 3_000) };
  }
}

/** In two of three histories. Drawn last, so that the rest of a seed's schedule stays as it was before there were swaps. */
function drawSwap(random: Random, endsMs: number): readonly Step[] {
  if (random.next() < 1 / 3) return [];
  const atMs = QUIET_MS + Math.floor(random.next() * (endsMs - 2 * QUIET_MS));
  return [{ atMs, act: { kind: 'swap', forMs: Math.min(endsMs - atMs, random.between(200, 3_000)) } }];
}

type Bounds = Pick<Schedule, 'store' | 'endsMs'>;

function drawFaults(random: Random, games: readonly Situation[], bounds: Bounds): readonly Step[] {
  const steps = Array.from({ length: random.between(2, 5) }, (): Step => {
    const atMs = QUIET_MS + Math.floor(random.next() * (bounds.endsMs - 2 * QUIET_MS));
    return { atMs, act: drawFault(random, games, { ...bounds, atMs }) };
  });
  return withoutOverlap(steps.sort((a, b) => a.atMs - b.atMs));
}

/** Two at a time on one target would be one of them, and it would be unknown which: the later one is left out. */
function withoutOverlap(steps: readonly Step[]): readonly Step[] {
  const busyUntilMs = new Map<string, number>();
  return steps.filter(({ atMs, act }) => {
    const target = targetOf(act);
    if (atMs < (busyUntilMs.get(target) ?? 0)) return false;
    busyUntilMs.set(target, atMs + ('forMs' in act ? act.forMs : 0));
    return true;
  });
}

const targetOf = (act: Act): string => {
  if ('line' in act) return act.line;
  if ('worker' in act) return `worker ${act.worker}`;
  return act.kind;
};

function drawFault(random: Random, games: readonly Situation[], when: Bounds & { readonly atMs: number }): Fault {
  const kind = weighted(random, FAULTS);
  const leftMs = when.endsMs - when.atMs;
  const forMs = (least: number, most: number): number => Math.min(leftMs, random.between(least, most));
  const line = when.store === 'redis' ? random.pick(['postgres', 'redis'] as const) : 'postgres';
  const game = random.between(0, games.length - 1);
  switch (kind) {
    case 'engine': {
      const method = random.pick(['GET', 'DELETE', 'any'] as const);
      return { kind, name: random.pick(ENGINE_FAULTS), method, nth: random.between(1, 2), forMs: forMs(300, 2_000) };
    }
    case 'line':
      return { kind, line, mode: random.pick(LINE_MODES), forMs: forMs(200, 2_000) };
    case 'slow line':
      return { kind, line, latencyMs: random.pick([20, 100, 300, 700]), forMs: forMs(500, 2_500) };
    case 'cut line':
      return { kind, line };
    case 'kill':
      return { kind, worker: random.between(0, WORKERS - 1) };
    case 'freeze':
      return { kind, worker: random.between(0, WORKERS - 1), forMs: forMs(300, LEASE_LIVES_MS) };
    case 'kill at':
      return { kind, game, point: random.pick(POINTS).name };
    case 'freeze at':
      return { kind, game, point: random.pick(POINTS).name, forMs: random.between(300, LEASE_LIVES_MS) };
  }
}

function weighted<Value>(random: Random, choices: Weighted<Value>): Value {
  let left = random.next() * choices.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, value] of choices) {
    left -= weight;
    if (left < 0) return value;
  }
  return random.pick(choices)[1];
}
