/**
 * The faults as a worker process meets them: two games hit them, one at its look and one at its removal, so that both
 * slots of the worker are taken. The other games are cleaned all the same, and these two as soon as the fault is over.
 */
import type { Finding, Options, Servers, Store, Violation } from '../../experiment.js';
import type { FaultRule } from '../../../support/engine/engine-fault-proxy.js';
import { eventually } from '../../../support/eventually.js';
import { type Asked, type Broken, checkCleaned } from '../../laboratory/checks.js';
import { createLifecycle } from '../../laboratory/lifecycle.js';
import type { Site } from '../../laboratory/site.js';
import { historyOf } from '../../laboratory/game-history.js';
import { engineFaults, type NamedFault } from './faults.js';
import { inLanes } from '../../laboratory/lanes.js';

const TIMEOUT_MS = 1_000;
const CONCURRENCY = 2;
const OTHERS = 3;
// Two calls of two games run into their deadlines; the rest is a margin for a busy machine.
const OTHERS_WITHIN_MS = 20_000;
const RECOVERED_WITHIN_MS = 30_000;

const ENVIRONMENT = { RTMANAGER_WORKER_CONCURRENCY: String(CONCURRENCY), RTMANAGER_DOCKER_TIMEOUT: `${TIMEOUT_MS}ms` };

interface Outcome {
  readonly fault: string;
  readonly violations: readonly Violation[];
  readonly recoveriesMs: readonly number[];
}

export interface WorkerOptions extends Pick<Options, 'seed' | 'runs' | 'lanes' | 'say'> {
  readonly store: Store;
  readonly faults?: readonly NamedFault[];
}

/** One finding for each fault: two games a run, and how long after the fault's end each was done. */
export async function faultyWorkers(
  servers: Servers,
  { store, seed, runs, lanes, say, faults = engineFaults(TIMEOUT_MS) }: WorkerOptions,
): Promise<readonly Finding[]> {
  const outcomes: Outcome[] = [];
  await inLanes({
    servers,
    store,
    lanes,
    environment: ENVIRONMENT,
    work: faults.flatMap((named) => Array.from({ length: runs }, (_, run) => ({ named, run }))),
    prepare: async (site) => void (await site.startWorker()),
    each: async (site, { named, run }) => {
      const outcome = await oneRun(site, named, run, seed);
      outcomes.push(outcome);
      say(`engine-calls, ${store} worker: ${named.name}: ${outcome.recoveriesMs.map(Math.round).join(' and ')} ms`);
    },
  });
  return faults.map(({ name }) => {
    const mine = outcomes.filter(({ fault }) => fault === name);
    return {
      fault: `engine: ${name}`,
      store,
      runs: mine.length,
      violations: mine.flatMap(({ violations }) => violations),
      recoveriesMs: mine.flatMap(({ recoveriesMs }) => recoveriesMs),
    };
  });
}

async function oneRun(site: Site, named: NamedFault, run: number, seed: number): Promise<Outcome> {
  const lifecycle = createLifecycle(site);
  const prepared = async (role: string): Promise<{ readonly gameId: string; readonly containerId: string }> => {
    const gameId = `${named.name}, ${role}, ${run}`;
    return { gameId, containerId: await lifecycle.create(gameId) };
  };
  const looked = await prepared('look');
  const removed = await prepared('removal');
  const bystander = await prepared('not requested');
  const others = await Promise.all(Array.from({ length: OTHERS }, (_, n) => prepared(`other ${n}`)));

  site.engine.use(ruleFor(named, looked.containerId, removed.containerId));
  const faulty = [await ask(site, looked), await ask(site, removed)];
  await site.engine.until(() => requireHits(site, named, 2), { withinMs: OTHERS_WITHIN_MS });
  const unharmed = await Promise.all(others.map((other) => ask(site, other)));
  const broken: Broken[] = [];
  broken.push(...mark(await cleaned(site, unharmed, OTHERS_WITHIN_MS), 'other games go on'));
  if (named.tells === 'nothing') broken.push(...(await callsEnded(site, faulty)), ...mayNotBeRemoved(site, looked));

  site.engine.use(() => undefined);
  const endedMs = performance.now();
  const recoveriesMs: number[] = [];
  await Promise.all(
    faulty.map(async (game) => {
      broken.push(
        ...mark(await cleaned(site, [game], RECOVERED_WITHIN_MS), 'the game is cleaned once the fault is over'),
      );
      recoveriesMs.push(performance.now() - endedMs);
    }),
  );
  const left = await site.containers.stateOf(bystander.containerId);
  if (left !== 'created')
    broken.push({ check: 'never a wrong removal', what: `a container whose removal was not requested is ${left}` });
  const history = broken.length === 0 ? [] : await toldBy(site, faulty);
  return {
    fault: named.name,
    recoveriesMs,
    violations: broken.map(({ check, what }) => ({ check, what, seed, history })),
  };
}

const ruleFor =
  ({ fault }: NamedFault, looked: string, removed: string): FaultRule =>
  ({ method, url }) => {
    const isHit = (method === 'GET' && url.includes(looked)) || (method === 'DELETE' && url.includes(removed));
    return isHit ? fault : undefined;
  };

const ask = async (site: Site, game: { readonly gameId: string; readonly containerId: string }): Promise<Asked> => ({
  ...game,
  jobId: await site.jobs.ask({ gameId: game.gameId }),
});

const requireHits = ({ engine }: Site, { fault }: NamedFault, wanted: number): void => {
  const hit = new Set(engine.requests().flatMap((seen) => (seen.fault === fault.kind ? [seen.url] : [])));
  if (hit.size < wanted) throw new Error(`${hit.size} of ${wanted} games met the fault ${fault.kind}`);
};

/** Resolves to what is still broken when the time is over. */
async function cleaned(site: Site, games: readonly Asked[], withinMs: number): Promise<readonly Broken[]> {
  const broken = async (): Promise<readonly Broken[]> =>
    (await Promise.all(games.map((game) => checkCleaned(site, game)))).flat();
  try {
    return await eventually(
      async () => {
        if ((await broken()).length > 0) throw new Error('not yet');
        return [];
      },
      { withinMs },
    );
  } catch {
    return broken();
  }
}

const mark = (broken: readonly Broken[], check: string): readonly Broken[] =>
  broken.map((one) => ({ check, what: `${one.check}: ${one.what}` }));

/** What a call came to is in the operation log when it has ended: a failure, or the success of a look behind the fault. */
async function callsEnded(site: Site, games: readonly Asked[]): Promise<readonly Broken[]> {
  const rowsOf = async (gameId: string): Promise<readonly string[]> => {
    const { rows } = await site.db.query<{ code: string }>(
      'SELECT error_code AS code FROM operation_log WHERE game_id = $1 ORDER BY id',
      [gameId],
    );
    return rows.map(({ code }) => code);
  };
  const check = async ({ gameId }: Asked): Promise<void> => {
    const codes = await rowsOf(gameId);
    if (codes.length === 0) throw new Error(`${gameId}: no row says that its calls ended`);
    const strange = codes.filter((code) => code !== '' && code !== 'service_unavailable');
    if (strange.length > 0) throw new Error(`${gameId}: ended with ${strange.join(', ')}`);
  };
  try {
    await eventually(async () => void (await Promise.all(games.map(check))));
    return [];
  } catch (error) {
    return [{ check: 'a call ends with an answer or an outage', what: String(error) }];
  }
}

/** Without a whole answer to the look there is no removal. */
const mayNotBeRemoved = ({ engine }: Site, { containerId }: { readonly containerId: string }): readonly Broken[] =>
  engine.requests().some(({ method, url }) => method === 'DELETE' && url.includes(containerId))
    ? [{ check: 'no removal without a look', what: `${containerId} was to be removed though no look was answered` }]
    : [];

const toldBy = async (site: Site, games: readonly Asked[]): Promise<readonly string[]> =>
  (await Promise.all(games.map(({ gameId, containerId }) => historyOf(site, gameId, containerId)))).flat();
