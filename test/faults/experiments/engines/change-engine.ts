/** One trial: games are cleaned up, the engine changes, other games are asked for and must be held, the engine is back. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type PrivateEngine, startPrivateEngine } from '../../../../scripts/services/engine.mjs';
import { eventually } from '../../../support/eventually.js';
import type { Servers, Store } from '../../experiment.js';
import { type Asked, type Broken, checkCleaned } from '../../laboratory/checks.js';
import { openSite, type Site } from '../../laboratory/site.js';
import type { EngineChange } from './engine-changes.js';

export interface ChangeTrial {
  readonly change: EngineChange;
  readonly store: Store;
  /** A lane of its own on the shared Redis. */
  readonly lane: number;
}

export interface ChangeEnding {
  readonly broken: readonly Broken[];
  /** From the return of the right engine until all jobs were completed. */
  readonly recoveryMs: number;
  readonly said: readonly string[];
}

const WORKERS = 2;
/** Longer than two checks of the identity and the first retries of a job. */
const HELD_MS = 12_000;
const BACK_WITHIN_MS = 120_000;

/** The engines of one trial: the one that owns the containers is its own, because the trial stops it. */
export async function changeEngine(
  servers: Servers,
  other: PrivateEngine,
  { change, store, lane }: ChangeTrial,
): Promise<ChangeEnding> {
  const engine = await startPrivateEngine();
  try {
    const site = await openSite({ ...servers, engineSocket: engine.socketPath }, { store, lane });
    try {
      return await tryChange({ site, engine, other }, change);
    } finally {
      await site.close();
    }
  } finally {
    await engine.stop();
  }
}

type Scene = Parameters<EngineChange['begin']>[0];

async function tryChange(scene: Scene, change: EngineChange): Promise<ChangeEnding> {
  const { site } = scene;
  const before = await makeGames(site, 'before', change.before);
  const during = await makeGames(site, 'during', change.during);
  const workers = await Promise.all(Array.from({ length: WORKERS }, () => site.startWorker()));
  const cleaned = await ask(site, before);
  await untilCleaned(site, cleaned);

  await change.begin(scene);
  const asked = await ask(site, during);
  await sleep(HELD_MS);
  const broken = await changedWhileHeld(site, during);
  await change.end(scene);

  const backMs = performance.now();
  // What is not cleaned by then is reported by the checks.
  await untilCleaned(site, asked).catch(() => undefined);
  const recoveryMs = performance.now() - backMs;
  for (const one of [...cleaned, ...asked]) broken.push(...(await checkCleaned(site, one)));
  return { broken, recoveryMs, said: workers.flatMap((worker) => worker.stdout().trim().split('\n')) };
}

type Game = Omit<Asked, 'jobId'>;

async function makeGames(site: Site, name: string, count: number): Promise<readonly Game[]> {
  const games: Game[] = [];
  for (let number = 0; number < count; number++) {
    const gameId = `${name}-${number}`;
    const containerId = await site.containers.make('created', { gameLabel: gameId });
    await site.db.query(
      `INSERT INTO runtime_records (game_id, status, current_container_id, stopped_at, last_op_at, created_at)
       VALUES ($1, 'stopped', $2, now(), now(), now())`,
      [gameId, containerId],
    );
    games.push({ gameId, containerId });
  }
  return games;
}

async function ask(site: Site, games: readonly Game[]): Promise<Asked[]> {
  const asked: Asked[] = [];
  for (const game of games) asked.push({ ...game, jobId: await site.jobs.ask({ gameId: game.gameId }) });
  return asked;
}

const COUNT_REMOVED = `SELECT count(*)::int AS n FROM runtime_records WHERE status = 'removed' AND game_id = ANY($1)`;

async function removedOf({ db }: Site, games: readonly Game[]): Promise<number> {
  const { rows } = await db.query<{ n: number }>(COUNT_REMOVED, [games.map(({ gameId }) => gameId)]);
  return rows[0]?.n ?? 0;
}

/** A record is removed a moment before its job is completed. */
const untilCleaned = (site: Site, asked: readonly Asked[]): Promise<void> =>
  eventually(
    async () => {
      const removed = await removedOf(site, asked);
      if (removed !== asked.length) throw new Error(`${removed} of ${asked.length} records are removed`);
      const states = await Promise.all(asked.map(({ jobId }) => site.jobs.state(jobId)));
      if (states.some((state) => state !== 'completed')) throw new Error(`the jobs are ${states.join(', ')}`);
    },
    { withinMs: BACK_WITHIN_MS },
  );

async function changedWhileHeld(site: Site, games: readonly Game[]): Promise<Broken[]> {
  const removed = await removedOf(site, games);
  const dead = (await site.jobs.all()).filter(({ state }) => state === 'failed');
  return [
    ...(removed === 0
      ? []
      : [{ check: 'nothing is believed of another engine', what: `${removed} records are removed` }]),
    ...dead.map(({ gameId, failedReason }) => ({ check: 'no dead letters', what: `${gameId}: ${failedReason}` })),
  ];
}
