/** One outage, from working workers until nothing is left to do, and the promises that it broke. */
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../../support/eventually.js';
import type { Service } from '../../../support/service.js';
import type { Store } from '../../experiment.js';
import { type Asked, type Broken, checkCleaned } from '../../laboratory/checks.js';
import { openSite, type Site } from '../../laboratory/site.js';
import { startRedisPair } from '../../../support/network/redis-pair.js';
import type { Outage, Place } from './outage-kinds.js';
import { makeGames, startLoad } from './load.js';
import type { OwnServers } from './own-servers.js';
import { type Restlessness, watchWorker } from './quiet.js';

export interface Trial {
  readonly absence: Outage;
  readonly store: Store;
  readonly outageMs: number;
  readonly games: number;
}

export interface Ending {
  readonly broken: readonly Broken[];
  /** From the end of the outage until everything was done. */
  readonly recoveryMs: number;
  readonly restlessness: readonly Restlessness[];
  /** Attempts that ended in failure, as the operation log has them. */
  readonly burnt: number;
  /** What the workers said, for a history. */
  readonly said: readonly string[];
}

const WORKERS = 2;
/** The site's Redis database is the one after it. */
const LANE = 0;
const LEAD_MS = 2_000;
// Limits of what was promised: done within two minutes, no flood, and a waiting worker that rests.
const BACK_WITHIN_MS = 120_000;
const MOST_LINES_PER_SECOND = 2;
const MOST_IN_A_SECOND = 60;
const MOST_CPU_SHARE = 0.05;
// Calls that were under way when it began end within the longest time limit, the database's.
const SETTLING_MS = 16_000;

// All is stopped only now, so that no sweep of the workers' own comes before the one that is asked for.
const STOPPED_LONG_AGO = `UPDATE runtime_records SET stopped_at = now() - interval '60 days' WHERE status = 'stopped'`;

export async function runOutage(own: OwnServers, trial: Trial): Promise<Ending> {
  const { absence, store } = trial;
  const pair = absence.needsPair === true ? await startRedisPair() : undefined;
  const environment = {
    RTMANAGER_SWEEP_MAX_SHARE: '100%',
    ...absence.environment?.(own),
    ...(pair && { REDIS_URL: `${pair.url}/${LANE + 1}` }),
  };
  const servers = { ...own.servers, ...(pair && { redisUrl: pair.primaryUrl }) };
  await absence.prepare?.(own);
  const site = await openSite(servers, { store, lane: LANE, environment });
  try {
    return await outage({ site, own, pair }, trial);
  } finally {
    await site.close();
    await pair?.stop();
  }
}

async function outage(place: Place, trial: Trial): Promise<Ending> {
  const { site } = place;
  const { absence, outageMs } = trial;
  const games = await makeGames(site, trial.games);
  const workers: Service[] = [];
  while (workers.length < WORKERS) workers.push(await site.startWorker());
  const load = startLoad(site, games, LEAD_MS + outageMs);
  await sleep(LEAD_MS);

  await absence.begin(place);
  const restlessness = await watched(workers, outageMs);
  await absence.end(place);
  const backMs = performance.now();

  await load.done;
  if (absence.losesJobs === true) await askAgainForWhatIsDue(site);
  await atRest(site, BACK_WITHIN_MS - (performance.now() - backMs));
  const recoveryMs = performance.now() - backMs;
  const broken = [
    ...(await whatIsLost(site, load.accepted(), absence)),
    ...(recoveryMs > BACK_WITHIN_MS
      ? [{ check: 'done within two minutes', what: `${Math.round(recoveryMs)} ms` }]
      : []),
    ...restlessness.flatMap(tooRestless),
  ];
  return { broken, recoveryMs, restlessness, burnt: await burntAttempts(site), said: workers.flatMap(saidBy) };
}

async function watched(workers: readonly Service[], outageMs: number): Promise<readonly Restlessness[]> {
  const watches = workers.map(watchWorker);
  const settlingMs = Math.min(SETTLING_MS, outageMs / 2);
  await sleep(settlingMs);
  for (const watch of watches) watch.settle();
  await sleep(outageMs - settlingMs);
  return watches.map((watch) => watch.end());
}

/** The database records which containers are due; a sweep requests them again, also when their jobs are lost. */
export async function askAgainForWhatIsDue(site: Site): Promise<void> {
  await site.db.query(STOPPED_LONG_AGO);
  const { exitCode, stdout, stderr } = await site.command('sweep');
  if (exitCode !== 0) throw new Error(`the sweep failed: ${stdout}${stderr}`);
}

/** Resolves when nothing is left to do, or when the time is over. */
export async function atRest(site: Site, withinMs: number): Promise<void> {
  const countLeft = `SELECT count(*)::int AS n FROM runtime_records WHERE status <> 'removed'`;
  const nothingLeft = async (): Promise<void> => {
    const left = (await site.db.query<{ n: number }>(countLeft)).rows[0]?.n;
    if (left !== 0) throw new Error(`${left} records are not removed`);
    const unfinished = (await site.jobs.all()).filter(({ state }) => state !== 'completed' && state !== 'failed');
    if (unfinished.length > 0) throw new Error(`${unfinished.length} jobs are not finished`);
  };
  await eventually(nothingLeft, { withinMs: Math.max(1, withinMs) }).catch(() => undefined);
}

const CHECKED_AT_ONCE = 10;

export async function whatIsLost(
  site: Site,
  accepted: readonly Asked[],
  { losesJobs = false, losesNotes = false }: { readonly losesJobs?: boolean; readonly losesNotes?: boolean },
): Promise<readonly Broken[]> {
  const dead = (await site.jobs.all()).filter(({ state }) => state === 'failed');
  const broken: Broken[] = dead.map(({ gameId, failedReason }) => ({
    check: 'no dead letters',
    what: `${gameId}: ${failedReason}`,
  }));
  for (let at = 0; at < accepted.length; at += CHECKED_AT_ONCE) {
    const checked = await Promise.all(
      accepted.slice(at, at + CHECKED_AT_ONCE).map((asked) => checkCleaned(site, asked)),
    );
    broken.push(...checked.flat());
  }
  const allowed = new Set([
    ...(losesJobs ? ['the job is completed'] : []),
    ...(losesNotes ? ['the row says who removed the container'] : []),
  ]);
  return broken.filter(({ check }) => !allowed.has(check));
}

function tooRestless({ linesPerSecond, mostInASecond, cpuShare }: Restlessness): readonly Broken[] {
  const judged: readonly (readonly [string, number, number])[] = [
    ['few log lines during the outage', linesPerSecond, MOST_LINES_PER_SECOND],
    ['no burst of log lines', mostInASecond, MOST_IN_A_SECOND],
    ['a waiting worker rests', cpuShare, MOST_CPU_SHARE],
  ];
  return judged.flatMap(([check, found, most]) =>
    found > most ? [{ check, what: `${found.toFixed(2)}, allowed ${most}` }] : [],
  );
}

export const burntAttempts = async ({ db }: Site): Promise<number> =>
  (await db.query<{ n: number }>(`SELECT count(*)::int AS n FROM operation_log WHERE outcome = 'failure'`)).rows[0]
    ?.n ?? 0;

export const saidBy = (worker: Service): readonly string[] =>
  worker
    .lines()
    .map(({ time, level, msg, reason, what, error_code: code, err }) =>
      [time, `worker ${worker.process.pid}:`, level, msg, code, what, reason, messageIn(err)].filter(Boolean).join(' '),
    );

const messageIn = (err: unknown): unknown =>
  typeof err === 'object' && err !== null && 'message' in err ? err.message : undefined;
