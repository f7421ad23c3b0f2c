/** SIGSTOP between any two steps of a cleanup, for three times its lease, while another holder has the game. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../support/eventually.js';
import type { Experiment, Finding, Options, Servers, Store, Violation } from '../experiment.js';
import type { Broken } from '../laboratory/checks.js';
import { type EngineLedger, watchEngine } from '../laboratory/engine-ledger.js';
import { createLifecycle } from '../laboratory/lifecycle.js';
import type { NamedPoint } from '../laboratory/points.js';
import { nowNs } from '../laboratory/step-control.js';
import type { Site } from '../laboratory/site.js';
import { historyOf, isAbout } from '../laboratory/game-history.js';
import { type TokenLedger, watchTokens } from '../laboratory/tokens.js';
import { createTestContainers } from '../../support/engine/test-containers.js';
import { checkAccount, checkEnding, checkLateTouch, checkWorkDone } from './pause/checks.js';
import { freezeAt } from './pause/points.js';
import { type Variant, VARIANTS } from './pause/variants.js';
import { inLanes } from '../laboratory/lanes.js';

const STORES: readonly Store[] = ['postgres', 'redis'];
// The shortest there is.
const LEASE_SECONDS = 2;
const FROZEN_MS = 3 * LEASE_SECONDS * 1_000;
// A look at the journal costs time that the workers need.
const LOOK_EVERY_MS = 100;
const ENDED_WITHIN_MS = 180_000;

const ENVIRONMENT = {
  RTMANAGER_GAME_LEASE_TTL_SECONDS: String(LEASE_SECONDS),
  // The second worker waits inside for longer than a call of the engine may usually take.
  RTMANAGER_DOCKER_TIMEOUT: '30s',
};

export interface PauseTry {
  readonly variant: Variant;
  readonly point: NamedPoint;
  readonly run: number;
}

interface Outcome {
  readonly variant: Variant;
  readonly violations: readonly Violation[];
  readonly recoveryMs: number;
}

interface Ledgers {
  readonly engine: EngineLedger;
  readonly tokens: TokenLedger;
}

export const pause: Experiment = {
  name: 'pause',
  about:
    'SIGSTOP of the worker before and after every step, for three times its lease, while another holder has the game',
  run: async (servers, options) => {
    // Only the machine's pace varies between two tries, and each takes long: once is enough.
    const tries = pauseTries(() => true, 1);
    const findings: Finding[] = [];
    for (const store of STORES) findings.push(...(await pauseOn(store, tries, servers, options)));
    return findings;
  },
};

/** Every variant at every point of its own, so often each; those with a second worker last. */
export function pauseTries(wanted: (variant: string, point: string) => boolean, runs: number): readonly PauseTry[] {
  return VARIANTS.flatMap((variant) =>
    variant.points
      .filter((point) => wanted(variant.name, point.name))
      .flatMap((point) => Array.from({ length: runs }, (_, run): PauseTry => ({ variant, point, run }))),
  );
}

export async function pauseOn(
  store: Store,
  tries: readonly PauseTry[],
  servers: Servers,
  options: Pick<Options, 'lanes' | 'seed' | 'say'>,
): Promise<readonly Finding[]> {
  const outcomes: Outcome[] = [];
  const { docker } = await createTestContainers(servers.engineSocket);
  const ledgers = { engine: await watchEngine(docker), tokens: await watchTokens(servers, store) };
  try {
    await inLanes({
      servers,
      store,
      lanes: options.lanes,
      environment: ENVIRONMENT,
      work: tries,
      each: async (site, one) => {
        const outcome = await pauseAt(site, one, ledgers, options.seed);
        outcomes.push(outcome);
        const { length: wrong } = outcome.violations;
        options.say(
          `pause ${one.point.name}, ${one.variant.name}, ${store}: ${Math.round(outcome.recoveryMs)} ms${wrong === 0 ? '' : `, ${wrong} violations`}`,
        );
      },
    });
  } finally {
    ledgers.tokens.close();
    await ledgers.engine.close();
  }
  return VARIANTS.flatMap((variant): readonly Finding[] => {
    const mine = outcomes.filter((outcome) => outcome.variant === variant);
    if (mine.length === 0) return [];
    return [
      {
        fault: `SIGSTOP, ${variant.name}`,
        store,
        runs: mine.length,
        violations: mine.flatMap(({ violations }) => violations),
        recoveriesMs: mine.map(({ recoveryMs }) => recoveryMs),
      },
    ];
  });
}

async function pauseAt(site: Site, one: PauseTry, ledgers: Ledgers, seed: number): Promise<Outcome> {
  const { variant, point, run } = one;
  while (site.workers().length < variant.workers) await site.startWorker();
  const lifecycle = createLifecycle(site);
  // Of this try alone: the trials of planted breaks make the same tries on the same engine, whose events name the game.
  const gameId = `${variant.name}, frozen ${point.name}, ${site.store}, ${run}, ${randomBytes(4).toString('hex')}`;
  const containerId = await lifecycle.create(gameId, variant.stoppedDaysAgo);
  const firstRequest = site.engine.requests().length;
  const freeze = freezeAt(site, point, { gameId, containerId });
  const jobId = await site.jobs.ask({ gameId, opSource: variant.opSource });
  const broken: Broken[] = [];
  let thawedNs = nowNs();
  try {
    const frozen = await freeze.carriedOut();
    const thaw = async (): Promise<void> => {
      freeze.letGo();
      await sleep(Math.max(0, FROZEN_MS - (nowNs() - frozen.ns) / 1e6));
      thawedNs = nowNs();
      process.kill(frozen.pid, 'SIGCONT');
      await runEnds(site, { pid: frozen.pid, gameId, afterNs: thawedNs });
    };
    broken.push(...(await variant.play({ site, lifecycle, point, gameId, containerId, thaw })));
    await jobEnds(site, jobId);
    const steps = site.stepControl.seen().filter((seen) => seen.pid === frozen.pid && isAbout(seen, [gameId]));
    if (point.underLease) broken.push(...checkLateTouch(steps, thawedNs));
  } catch (error) {
    broken.push({ check: 'it comes to an end', what: error instanceof Error ? error.message : String(error) });
  } finally {
    freeze.withdraw();
  }
  const recoveryMs = (nowNs() - thawedNs) / 1e6;
  await ledgers.engine.caughtUp();
  const account = {
    steps: site.stepControl.seen().filter((seen) => isAbout(seen, [gameId])),
    notes: await site.audit.notes(gameId),
    events: ledgers.engine.events().filter((event) => event.gameId === gameId),
    asked: lifecycle.asked(),
    requests: site.engine.requests().slice(firstRequest),
    tokens: await ledgers.tokens.tokens(site, gameId),
  };
  if (variant.opSource === 'admin_rest') broken.push(...checkWorkDone(account.notes));
  broken.push(...checkAccount(account), ...(await checkEnding(site, { gameId, jobId })));
  if (broken.length === 0) return { variant, violations: [], recoveryMs };
  const history = await historyOf(site, gameId, containerId);
  // Their running jobs must not disturb the next try.
  await Promise.all(site.workers().map((worker) => worker.kill()));
  const where = `${point.name}, ${site.store}`;
  const violations = broken.map(({ check, what }) => ({ check, what: `${where}: ${what}`, seed, history }));
  return { variant, violations, recoveryMs };
}

interface Run {
  readonly pid: number;
  readonly gameId: string;
  readonly afterNs: number;
}

/** Resolves when the worker has done with the job that it was frozen in. */
async function runEnds(site: Site, { pid, gameId, afterNs }: Run): Promise<void> {
  const isOver = (): boolean =>
    site.stepControl
      .seen()
      .some(
        (seen) =>
          seen.pid === pid &&
          seen.ns > afterNs &&
          seen.step === 'job run' &&
          seen.at !== 'start' &&
          isAbout(seen, [gameId]),
      );
  await eventually(
    async () => {
      await sleep(LOOK_EVERY_MS);
      if (!isOver()) throw new Error('the frozen worker did not finish its job');
    },
    { withinMs: ENDED_WITHIN_MS },
  );
}

async function jobEnds(site: Site, jobId: string): Promise<void> {
  await eventually(
    async () => {
      await sleep(LOOK_EVERY_MS);
      const state = await site.jobs.state(jobId);
      if (state !== 'completed' && state !== 'failed') throw new Error(`the job is still ${state}`);
    },
    { withinMs: ENDED_WITHIN_MS },
  );
}
