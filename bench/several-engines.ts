/**
 * Cleanups per second on two healthy engines while a third one is stopped by SIGSTOP, compared with their rate while the
 * third one is healthy. Each round measures, one after the other:
 *
 * - usual: all three are healthy, and every third job is one of the third engine; only those of the other two are counted.
 * - alone: all three are healthy, and the third one has no jobs.
 * - sudden: the third engine is stopped at the moment at which the worker begins, and every third job is one of its own;
 *   the worker has yet to find out that it is silent.
 * - known: the silence is known, and as many jobs of the third engine are new; each is started once, so that it has a row.
 * - steady: the silence is known, and the jobs of the third engine are held and come back from time to time.
 *
 * Then the third engine runs again, and the time until all its jobs have ended is measured. It needs root: it starts
 * three private Docker engines.
 *
 *   npm run bench -- several-engines               # PostgreSQL queue, 200 containers a measurement, 5 rounds
 *   npm run bench -- several-engines --redis
 *   npm run bench -- several-engines --containers 400 --rounds 3 --concurrency 8
 */
import { parseArgs } from 'node:util';
import Docker from 'dockerode';
import { ensureSleeperImage } from '../demo/containers/sleeper-image.js';
import { type PrivateEngine, startPrivateEngine } from '../scripts/services/engine.mjs';
import { startService } from '../src/app/start-service.js';
import { mapConcurrent } from '../src/async/map-concurrent.js';
import { pause, systemClock } from '../src/async/clock.js';
import { createLogger } from '../src/telemetry/logger.js';
import { createTelemetry } from '../src/telemetry/metrics.js';
import { median, onStores, type Stores, timed } from './stores.js';

const { values } = parseArgs({
  options: {
    containers: { type: 'string', default: '200' },
    rounds: { type: 'string', default: '5' },
    concurrency: { type: 'string', default: '' },
  },
});
const containers = Number(values.containers);
const rounds = Number(values.rounds);
const CREATED_AT_A_TIME = 8;
const SETTLE_MS = 5_000;
const SITUATIONS = ['usual', 'alone', 'sudden', 'known', 'steady'] as const;
type Situation = (typeof SITUATIONS)[number];
/** The situations in which the third engine has new jobs. */
const NEW_ON_THIRD: ReadonlySet<Situation> = new Set<Situation>(['usual', 'sudden', 'known']);

interface BenchEngine {
  readonly name: string;
  readonly docker: Docker;
  readonly image: string;
  readonly daemon: PrivateEngine;
}

async function startEngine(name: string): Promise<BenchEngine> {
  const daemon = await startPrivateEngine();
  const docker = new Docker({ socketPath: daemon.socketPath, host: '' });
  return { name, docker, image: await ensureSleeperImage(docker), daemon };
}

/** Containers with their stopped records; resolves to the games. */
async function createGames({ database }: Stores, engine: BenchEngine, prefix: string): Promise<readonly string[]> {
  const games = Array.from({ length: containers / 2 }, (_, index) => `${prefix}-${engine.name}-${index}`);
  const ids = await mapConcurrent(games, CREATED_AT_A_TIME, async (gameId) => {
    const { docker, image } = engine;
    const labels = { 'com.galaxy.game_id': gameId };
    const created = { Image: image, Labels: labels, HostConfig: { NetworkMode: 'none' } };
    return (await docker.createContainer(created)).id;
  });
  await database.pool.query(
    `INSERT INTO runtime_records (game_id, status, current_container_id, docker_host, stopped_at, last_op_at, created_at)
     SELECT game, 'stopped', id, $3, now(), now(), now() FROM unnest($1::text[], $2::text[]) AS t (game, id)`,
    [games, ids, engine.name],
  );
  return games;
}

const interleaved = (lists: readonly (readonly string[])[]): readonly string[] =>
  (lists[0] ?? []).flatMap((_, index) => lists.map((list) => list[index] ?? ''));

interface Measurement {
  readonly healthy: readonly string[];
  /** Games of the third engine. */
  readonly others: readonly string[];
  readonly onBegin: () => void;
}

interface Measured {
  readonly rate: number;
  /** The longest time in which no cleanup ended. */
  readonly longestGapMs: number;
}

/** Enqueues the games while the queue is paused, then measures until the healthy ones are done. */
async function measure(
  { context, database, backend, queues }: Stores,
  { healthy, others, onBegin }: Measurement,
): Promise<Measured> {
  const queue = await backend.queue({ onError: () => undefined });
  await queue.pause();
  const half = healthy.length / 2;
  const lists = [healthy.slice(0, half), healthy.slice(half), ...(others.length === 0 ? [] : [others])];
  const jobs = await queues.producer.enqueue(
    interleaved(lists).map((gameId) => ({ gameId, opSource: 'operator_cli' })),
  );
  onBegin();
  const begun = await database.pool.query<{ at: Date }>('SELECT clock_timestamp() AS at');
  await queue.resume();
  const games = new Set(healthy);
  const awaited = jobs.filter(({ gameId }) => games.has(gameId)).map(({ jobId }) => jobId);
  await queues.endings.wait(awaited, () => undefined, context.signal);
  await queue.close();
  const { rows } = await database.pool.query<{ seconds: number; gap: number }>(
    `SELECT extract(epoch FROM max(at) - $2)::float8 AS seconds, extract(epoch FROM max(at - before))::float8 AS gap
     FROM (SELECT finished_at AS at, lag(finished_at, 1, $2) OVER (ORDER BY finished_at) AS before
           FROM operation_log WHERE outcome = 'success' AND game_id = ANY ($1)) AS ends`,
    [healthy, begun.rows[0]?.at],
  );
  const { seconds = Number.NaN, gap = Number.NaN } = rows[0] ?? {};
  return { rate: healthy.length / seconds, longestGapMs: Math.round(gap * 1_000) };
}

async function untilEnded({ database, context }: Stores, engine: string): Promise<void> {
  const text = `SELECT 1 FROM runtime_records WHERE status <> 'removed' AND docker_host = $1`;
  const left = async (): Promise<number> => (await database.pool.query(text, [engine])).rows.length;
  while ((await left()) > 0) await pause(context.clock, 200);
}

async function measureRound(stores: Stores, engines: readonly BenchEngine[], round: number) {
  const [first, second, third] = engines;
  if (first === undefined || second === undefined || third === undefined) throw new RangeError('three engines');
  const games = new Map<Situation, Pick<Measurement, 'healthy' | 'others'>>();
  for (const situation of SITUATIONS) {
    const prefix = `${round}-${situation}`;
    const healthy = [...(await createGames(stores, first, prefix)), ...(await createGames(stores, second, prefix))];
    const others = NEW_ON_THIRD.has(situation) ? await createGames(stores, third, prefix) : [];
    games.set(situation, { healthy, others });
  }
  // The engines write for some seconds after they made the containers, which would slow down what comes first.
  await pause(stores.context.clock, SETTLE_MS);
  const found = new Map<Situation, Measured>();
  let seconds = Number.NaN;
  const measureOne = async (situation: Situation): Promise<void> => {
    const onBegin = situation === 'sudden' ? () => third.daemon.signal('SIGSTOP') : () => undefined;
    found.set(situation, await measure(stores, { healthy: [], others: [], ...games.get(situation), onBegin }));
  };
  const measureStopped = async (): Promise<void> => {
    for (const situation of ['sudden', 'known', 'steady'] as const) await measureOne(situation);
    third.daemon.signal('SIGCONT');
    seconds = await timed(() => untilEnded(stores, third.name));
  };
  const measureHealthy = async (): Promise<void> => {
    await measureOne('usual');
    await untilEnded(stores, third.name);
    await measureOne('alone');
  };
  // In every second round they come last, because the machine is not the same at the beginning and at the end of a round.
  if (round % 2 === 1) await measureHealthy();
  await measureStopped();
  if (round % 2 === 0) await measureHealthy();
  return { found, seconds };
}

async function main(stores: Stores, engines: readonly BenchEngine[]): Promise<void> {
  const { database, closing } = stores;
  const { config } = stores.context;
  // A line for each job that is held would be the most of what is printed.
  const context = { ...stores.context, log: createLogger({ level: 'fatal', name: 'bench' }) };
  const worker = await startService(context, {
    role: 'worker',
    telemetry: createTelemetry(systemClock),
    facts: { version: 'bench', metricsText: undefined },
  });
  closing.add('worker', worker.stop);
  console.log(
    `${config.queueBackend} queue, ${config.workerConcurrency} jobs at a time, ${config.engineConcurrency} on one engine, ` +
      `${containers} containers a measurement, ${rounds} rounds`,
  );
  const all: Awaited<ReturnType<typeof measureRound>>[] = [];
  for (let round = 1; round <= rounds; round++) {
    const one = await measureRound(stores, engines, round);
    all.push(one);
    const rates = SITUATIONS.map((situation) => `${situation} ${shownRate(one.found.get(situation))}`);
    console.log(
      `round ${round}: ${rates.join(', ')}; the third engine's jobs ended ${one.seconds.toFixed(1)} s after it`,
    );
  }
  for (const situation of SITUATIONS) {
    const rate = median(all.map(({ found }) => found.get(situation)?.rate ?? Number.NaN));
    const ratioTo = (other: Situation): string =>
      median(all.map(({ found }) => (found.get(situation)?.rate ?? 0) / (found.get(other)?.rate ?? 0))).toFixed(2);
    const gap = median(all.map(({ found }) => found.get(situation)?.longestGapMs ?? Number.NaN));
    console.log(
      `median ${situation}: ${rate.toFixed(0)}/s, ${ratioTo('usual')} of usual, ${ratioTo('alone')} of alone, longest time without an end ${gap} ms`,
    );
  }
  const { rows } = await database.pool.query<{ most: number; mean: number }>(
    `SELECT max(rows)::int AS most, avg(rows)::float8 AS mean
     FROM (SELECT count(*) AS rows FROM operation_log WHERE engine = $1 GROUP BY job_id) AS by_job`,
    [engines[2]?.name],
  );
  console.log(
    `rows in the operation log for a job of the third engine: ${rows[0]?.mean.toFixed(1)}, at most ${rows[0]?.most}`,
  );
}

const shownRate = (measured: Measured | undefined): string =>
  `${measured?.rate.toFixed(0)}/s (gap ${measured?.longestGapMs} ms)`;

const engines: BenchEngine[] = [];
try {
  for (const name of ['default', 'eu-1', 'eu-2']) engines.push(await startEngine(name));
  const [home, ...others] = engines;
  await onStores((stores) => main(stores, engines), {
    DOCKER_HOST: `unix://${home?.daemon.socketPath}`,
    RTMANAGER_DOCKER_HOSTS: others.map(({ name, daemon }) => `${name}=unix://${daemon.socketPath}`).join(','),
    ...(values.concurrency === '' ? {} : { RTMANAGER_WORKER_CONCURRENCY: values.concurrency }),
  });
} finally {
  for (const { daemon } of engines) await daemon.stop();
}
