/** kill -9 between any two steps of a cleanup: another worker finishes it, once, within seconds. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Experiment, Finding, Options, Servers, Store, Violation } from '../experiment.js';
import { type Asked, type Broken, checkCleaned } from '../laboratory/checks.js';
import { inLanes } from '../laboratory/lanes.js';
import { createLifecycle } from '../laboratory/lifecycle.js';
import { type NamedPoint, POINTS } from '../laboratory/points.js';
import { nowNs } from '../laboratory/seam.js';
import type { Site } from '../laboratory/site.js';
import { historyOf } from '../laboratory/tell.js';

const STORES: readonly Store[] = ['postgres', 'redis'];
const WORKERS = 2;
// Half a minute is the aim; what takes longer than this is not healing.
const HEALED_WITHIN_MS = 60_000;
// Looking costs time that the workers need: seldom enough, and fine enough for tenths of a second.
const LOOK_EVERY_MS = 50;

interface Try {
  readonly point: NamedPoint;
  readonly run: number;
}

interface Outcome {
  readonly point: NamedPoint;
  readonly violations: readonly Violation[];
  readonly recoveryMs: number;
}

export const crash: Experiment = {
  name: 'crash',
  about: 'kill -9 of the worker before and after every step of a cleanup',
  run: async (servers, options) => {
    const findings: Finding[] = [];
    for (const store of STORES) findings.push(...(await onStore(store, servers, options)));
    return findings;
  },
};

async function onStore(store: Store, servers: Servers, options: Options): Promise<readonly Finding[]> {
  const outcomes: Outcome[] = [];
  const tries = POINTS.flatMap((point) => Array.from({ length: options.runs }, (_, run): Try => ({ point, run })));
  await inLanes({
    servers,
    store,
    lanes: options.lanes,
    work: tries,
    prepare: keepStaffed,
    each: async (site, { point, run }) => {
      const outcome = await crashAt(site, point, run, options.seed);
      outcomes.push(outcome);
      options.say(`crash ${point.name}, ${store}: ${Math.round(outcome.recoveryMs)} ms`);
    },
  });
  return POINTS.map((point): Finding => {
    const mine = outcomes.filter((outcome) => outcome.point === point);
    return {
      fault: `kill -9, ${point.name}`,
      store,
      runs: mine.length,
      violations: mine.flatMap(({ violations }) => violations),
      recoveriesMs: mine.map(({ recoveryMs }) => recoveryMs),
    };
  });
}

/** As a supervisor would: whoever is missing is started anew. */
async function keepStaffed(site: Site): Promise<void> {
  while (site.workers().length < WORKERS) await site.startWorker();
}

async function replaceDead(site: Site, pid: number): Promise<void> {
  await site.workers().find((worker) => worker.process.pid === pid)?.exit;
  await keepStaffed(site);
}

async function crashAt(site: Site, point: NamedPoint, run: number, seed: number): Promise<Outcome> {
  const lifecycle = createLifecycle(site);
  const gameId = `crash ${point.name} ${run}`;
  const containerId = await lifecycle.create(gameId);
  const about = point.step.startsWith('container') ? containerId : gameId;
  // The settlement names its job alone, which has no id yet; nothing else runs at this site.
  const order = site.seam.order(point, 'SIGKILL', point.step === 'job settle' ? undefined : about);
  const jobId = await site.jobs.ask({ gameId });
  const asked: Asked = { gameId, containerId, jobId };
  const { ns: killedNs, pid } = await order.carriedOut();
  const replaced = replaceDead(site, pid);
  const broken = await healed(site, asked);
  const recoveryMs = (nowNs() - killedNs) / 1e6;
  await replaced;
  const history = broken.length === 0 ? [] : await historyOf(site, gameId, containerId);
  return { point, recoveryMs, violations: broken.map(({ check, what }) => ({ check, what, seed, history })) };
}

/** Waits for the job's end, then for the rest; resolves to what is still broken when the time for healing is over. */
async function healed(site: Site, asked: Asked): Promise<readonly Broken[]> {
  const untilNs = nowNs() + HEALED_WITHIN_MS * 1e6;
  for (;;) {
    const broken = (await site.jobs.state(asked.jobId)) === 'completed' ? await checkCleaned(site, asked) : undefined;
    if (broken?.length === 0) return broken;
    if (nowNs() > untilNs) return checkCleaned(site, asked);
    await sleep(LOOK_EVERY_MS);
  }
}
