/**
 * Cleanups per second (queue, lease, record, engine, record and operation log, completion of the job), compared with the
 * bare engine: the same number of `DELETE` requests by node:http. Both are measured in turn in every round.
 *
 *   npm run bench                      # PostgreSQL queue, 200 containers a round, 5 rounds
 *   npm run bench -- --redis           # Redis queue and leases
 *   npm run bench -- --containers 400 --rounds 3 --concurrency 8
 */
import http from 'node:http';
import { parseArgs } from 'node:util';
import Docker from 'dockerode';
import type { Database } from '../src/app/connect/database.js';
import { startService } from '../src/app/start-service.js';
import { systemClock } from '../src/async/clock.js';
import { mapConcurrent } from '../src/async/map-concurrent.js';
import { BugError, EngineProtocolError } from '../src/domain/errors.js';
import { ensureSleeperImage } from '../demo/containers/sleeper-image.js';
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

const socketPath = (process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock').replace('unix://', '');
const docker = new Docker({ socketPath, host: '' });
const LABEL = 'com.galaxy.bench';
const CREATED_AT_A_TIME = 8;

/** The game of each container, by container id. */
const games = new Map<string, string>();

async function createContainers(prefix: string, image: string): Promise<string[]> {
  const gameIds = Array.from({ length: containers }, (_, index) => `${prefix}-${index}`);
  return mapConcurrent(gameIds, CREATED_AT_A_TIME, async (gameId) => {
    const container = await docker.createContainer({
      Image: image,
      Labels: { 'com.galaxy.game_id': gameId, [LABEL]: '1' },
      HostConfig: { NetworkMode: 'none' },
    });
    games.set(container.id, gameId);
    return container.id;
  });
}

/** Bare DELETE requests, `concurrency` at a time, over connections that are kept open. Resolves to removals per second. */
async function measureBareRemovals(ids: readonly string[], concurrency: number): Promise<number> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: concurrency });
  const seconds = await timed(() => mapConcurrent(ids, concurrency, (id) => removeContainer(agent, id)));
  agent.destroy();
  return ids.length / seconds;
}

function removeContainer(agent: http.Agent, id: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const path = `/containers/${id}?v=1`;
    const request = http.request({ socketPath, agent, method: 'DELETE', path }, (response) => {
      const { statusCode } = response;
      response.resume();
      response.on('end', () => {
        if (statusCode === 204) resolve();
        else reject(new EngineProtocolError(`the engine answered a removal with status ${statusCode}`));
      });
    });
    request.on('error', reject);
    request.end();
  });
}

async function insertRecords(database: Database, ids: readonly string[]): Promise<void> {
  await database.pool.query(
    `INSERT INTO runtime_records (game_id, status, current_container_id, current_image_ref, stopped_at, last_op_at, created_at)
     SELECT game, 'stopped', id, 'bench', now(), now(), now() FROM unnest($1::text[], $2::text[]) AS t (game, id)`,
    [ids.map((id) => games.get(id)), ids],
  );
}

async function main(stores: Stores): Promise<void> {
  const { context, closing } = stores;
  const { config } = context;
  const worker = await startService(context, {
    role: 'worker',
    telemetry: createTelemetry(systemClock),
    facts: { version: 'bench', metricsText: undefined },
  });
  closing.add('worker', worker.stop);
  const image = await ensureSleeperImage(docker);

  console.log(
    `${config.queueBackend} queue, ${config.workerConcurrency} jobs at a time, ${containers} containers a round, ${rounds} rounds`,
  );
  const bareRates: number[] = [];
  const rates: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    const bareIds = await createContainers(`bare-${round}`, image);
    bareRates.push(await measureBareRemovals(bareIds, config.workerConcurrency));
    rates.push(await measureCleanups(stores, await createContainers(`cleanup-${round}`, image)));
    console.log(
      `round ${round}: bare engine ${bareRates.at(-1)?.toFixed(0)}/s, cleanups ${rates.at(-1)?.toFixed(0)}/s`,
    );
  }
  const ratios = rates.map((rate, index) => rate / (bareRates[index] ?? rate));
  console.log(
    `median: bare engine ${median(bareRates).toFixed(0)}/s, cleanups ${median(rates).toFixed(0)}/s, ratio ${median(ratios).toFixed(2)}`,
  );
}

/** Resolves to cleanups per second, all of which must succeed. */
async function measureCleanups({ context, database, queues }: Stores, ids: readonly string[]): Promise<number> {
  const { producer, endings } = queues;
  await insertRecords(database, ids);
  const started = await database.pool.query<{ at: Date }>('SELECT clock_timestamp() AS at');
  const jobs = await producer.enqueue(ids.map((id) => ({ gameId: games.get(id) ?? '', opSource: 'operator_cli' })));
  let succeeded = 0;
  await endings.wait(
    jobs.map((job) => job.jobId),
    (ending) => {
      if (ending.state === 'completed' && ending.result.errorCode === '') succeeded += 1;
    },
    context.signal,
  );
  // The end is the last row of the operation log: the news that a job has ended may arrive a second later.
  const { rows } = await database.pool.query<{ seconds: number }>(
    'SELECT extract(epoch FROM max(finished_at) - $1)::float8 AS seconds FROM operation_log',
    [started.rows[0]?.at],
  );
  if (succeeded !== ids.length) throw new BugError(`only ${succeeded} of ${ids.length} cleanups succeeded`);
  return ids.length / (rows[0]?.seconds ?? Number.NaN);
}

await onStores(main, {
  DOCKER_HOST: `unix://${socketPath}`,
  ...(values.concurrency === '' ? {} : { RTMANAGER_WORKER_CONCURRENCY: values.concurrency }),
});
