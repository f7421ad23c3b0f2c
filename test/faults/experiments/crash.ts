/** kill -9 between any two steps of a cleanup: another worker finishes it, once, within seconds. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Experiment, Finding, Options, Servers, Store, Violation } from '../experiment.js';
import { type Asked, type Broken, checkCleaned } from '../laboratory/checks.js';
import { createLifecycle } from '../laboratory/lifecycle.js';
import { type NamedPoint, POINTS } from '../laboratory/points.js';
import { nowNs } from '../laboratory/step-control.js';
import type { Site } from '../laboratory/site.js';
import { historyOf } from '../laboratory/game-history.js';
import { inLanes } from '../laboratory/lanes.js';

const STORES: readonly Store[] = ['postgres', 'redis'];
const WORKERS = 2;
const DEFAULT_LEASE_SECONDS = 60;
// Looking costs time that the workers need: seldom enough, and fine enough for tenths of a second.
const LOOK_EVERY_MS = 50;

/** Between a step's start and its end the request is on the wire; there the proxy kills. */
const ON_THE_WIRE = [
  { name: 'the removal sent, not yet heard', hook: 'onRequest' },
  { name: 'the removal done, not yet answered', hook: 'onAnswer' },
] as const;

type Place = NamedPoint | (typeof ON_THE_WIRE)[number];

const PLACES: readonly Place[] = [...POINTS, ...ON_THE_WIRE];

interface Matrix {
  readonly places: readonly Place[];
  /** What stands behind each fault's name in the table. */
  readonly suffix: string;
  readonly environment: Readonly<Record<string, string>>;
  /** What takes longer is not healing. */
  readonly healedWithinMs: number;
}

interface Try {
  readonly place: Place;
  readonly run: number;
}

interface Outcome {
  readonly place: Place;
  readonly violations: readonly Violation[];
  readonly recoveryMs: number;
}

type CrashOptions = Pick<Options, 'seed' | 'runs' | 'lanes' | 'say'>;

const EVERYWHERE: Matrix = { places: PLACES, suffix: '', environment: {}, healedWithinMs: 60_000 };

export const crash = crashing('crash', 'kill -9 of the worker before and after every step of a cleanup', EVERYWHERE);

/** How long the killed worker's lease lasts when no shorter one is configured. */
export const crashDefaults = crashing('crash-defaults', 'the same in the midst of a cleanup, with the default lease', {
  places: PLACES.filter(({ name }) => name === 'before the removal' || name === 'after the compare-and-set'),
  suffix: `, lease of ${DEFAULT_LEASE_SECONDS} s`,
  environment: { RTMANAGER_GAME_LEASE_TTL_SECONDS: String(DEFAULT_LEASE_SECONDS) },
  healedWithinMs: 120_000,
});

function crashing(name: string, about: string, matrix: Matrix): Experiment {
  return {
    name,
    about,
    run: async (servers, options) => {
      const findings: Finding[] = [];
      for (const store of STORES) findings.push(...(await onStore(store, servers, options, matrix)));
      return findings;
    },
  };
}

/** What the test run tries: after each step on PostgreSQL, before each step on Redis, and on the wire on both. */
export const testedPlaces = (store: Store): readonly Place[] => [
  ...POINTS.filter(({ step, at }) => (step === 'job run' || at === 'end') === (store === 'postgres')),
  ...ON_THE_WIRE,
];

/** A small `crash` experiment: these places alone, on a machine that does other things as well. */
export const crashOn = (
  store: Store,
  places: readonly Place[],
  servers: Servers,
  options: CrashOptions,
): Promise<readonly Finding[]> => onStore(store, servers, options, { ...EVERYWHERE, places, healedWithinMs: 180_000 });

async function onStore(
  store: Store,
  servers: Servers,
  options: CrashOptions,
  { places, suffix, environment, healedWithinMs }: Matrix,
): Promise<readonly Finding[]> {
  const outcomes: Outcome[] = [];
  const tries = places.flatMap((place) => Array.from({ length: options.runs }, (_, run): Try => ({ place, run })));
  await inLanes({
    servers,
    store,
    lanes: options.lanes,
    environment,
    work: tries,
    prepare: keepStaffed,
    each: async (site, { place, run }) => {
      const outcome = await crashAt(site, { place, run }, healedWithinMs, options.seed);
      outcomes.push(outcome);
      options.say(`crash ${place.name}, ${store}: ${Math.round(outcome.recoveryMs)} ms`);
    },
  });
  return places.map((place): Finding => {
    const mine = outcomes.filter((outcome) => outcome.place === place);
    return {
      fault: `kill -9, ${place.name}${suffix}`,
      store,
      runs: mine.length,
      violations: mine.flatMap(({ violations }) => violations),
      recoveriesMs: mine.map(({ recoveryMs }) => recoveryMs),
    };
  });
}

/** Starts a worker for each one that is missing, as a supervisor would. */
async function keepStaffed(site: Site): Promise<void> {
  while (site.workers().length < WORKERS) await site.startWorker();
}

async function replaceDead(site: Site, pid: number): Promise<void> {
  await site.workers().find((worker) => worker.process.pid === pid)?.exit;
  await keepStaffed(site);
}

async function crashAt(site: Site, { place, run }: Try, healedWithinMs: number, seed: number): Promise<Outcome> {
  const lifecycle = createLifecycle(site);
  const gameId = `crash ${place.name} ${run}`;
  const containerId = await lifecycle.create(gameId);
  const killed =
    'hook' in place ? killOnTheWire(site, place.hook, containerId) : killAt(site, place, gameId, containerId);
  const jobId = await site.jobs.ask({ gameId });
  const asked: Asked = { gameId, containerId, jobId };
  const { ns: killedNs, pid } = await killed;
  const replaced = replaceDead(site, pid);
  const broken = await healed(site, asked, healedWithinMs);
  const recoveryMs = (nowNs() - killedNs) / 1e6;
  await replaced;
  const history = broken.length === 0 ? [] : await historyOf(site, gameId, containerId);
  return { place, recoveryMs, violations: broken.map(({ check, what }) => ({ check, what, seed, history })) };
}

interface Killed {
  readonly ns: number;
  readonly pid: number;
}

function killAt(site: Site, point: NamedPoint, gameId: string, containerId: string): Promise<Killed> {
  const about = point.step.startsWith('container') ? containerId : gameId;
  // The settlement names its job alone, which has no id yet; nothing else runs at this site.
  return site.stepControl.order(point, 'SIGKILL', point.step === 'job settle' ? undefined : about).carriedOut();
}

/** Kills the worker that asked for the container's removal while the proxy holds the request; the proxy then sends it on. */
function killOnTheWire(site: Site, hook: 'onRequest' | 'onAnswer', containerId: string): Promise<Killed> {
  return new Promise((resolve, reject) => {
    const kill = async ({ method, url }: { readonly method: string; readonly url: string }): Promise<void> => {
      if (method !== 'DELETE' || !url.includes(containerId)) return;
      site.engine.hook({});
      const asking = site.stepControl.seen().findLast(({ step }) => step === 'container remove');
      const worker = site.workers().find(({ process }) => process.pid === asking?.pid);
      if (worker === undefined || asking === undefined) {
        reject(new Error(`no worker has asked for the removal of ${containerId}`));
        return;
      }
      const ns = nowNs();
      await worker.kill();
      resolve({ ns, pid: asking.pid });
    };
    site.engine.hook({ [hook]: kill });
  });
}

/** Waits for the job's end, then for the rest; resolves to what is still broken when the time for healing is over. */
async function healed(site: Site, asked: Asked, withinMs: number): Promise<readonly Broken[]> {
  const untilNs = nowNs() + withinMs * 1e6;
  for (;;) {
    const broken = (await site.jobs.state(asked.jobId)) === 'completed' ? await checkCleaned(site, asked) : undefined;
    if (broken?.length === 0) return broken;
    if (nowNs() > untilNs) return checkCleaned(site, asked);
    await sleep(LOOK_EVERY_MS);
  }
}
