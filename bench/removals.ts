/**
 * Removals per second of the whole path (queue, lease, record, engine, record and operation log, settlement) against the
 * floor: the same engine asked for the same number of bare `DELETE`s by node:http. Both sides take turns in one run.
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
import { ensureSleeperImage } from '../demo/containers/sleeper-image.js';
import { createTelemetry } from '../src/telemetry/telemetry.js';
import { median, onStores, type Stores } from './stores.js';

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

async function createContainers(prefix: string, image: string): Promise<string[]> {
  const ids: string[] = [];
  const todo = Array.from({ length: containers }, (_, i) => `${prefix}-${i}`);
  const maker = async (): Promise<void> => {
    for (let game = todo.pop(); game !== undefined; game = todo.pop()) {
      const container = await docker.createContainer({
        Image: image,
        Labels: { 'com.galaxy.game_id': game, [LABEL]: '1' },
        HostConfig: { NetworkMode: 'none' },
      });
      ids.push(container.id);
      games.set(container.id, game);
    }
  };
  await Promise.all(Array.from({ length: 8 }, maker));
  return ids;
}
const games = new Map<string, string>();

/** The floor: bare DELETEs, `parallel` at a time, over connections that are kept open. */
async function floor(ids: string[], parallel: number): Promise<number> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: parallel });
  const todo = [...ids];
  const startedMs = performance.now();
  const remover = async (): Promise<void> => {
    for (let id = todo.pop(); id !== undefined; id = todo.pop()) {
      const path = `/containers/${id}?v=1`;
      await new Promise<void>((resolve, reject) => {
        const request = http.request({ socketPath, agent, method: 'DELETE', path }, (response) => {
          response.resume();
          response.on('end', () =>
            response.statusCode === 204 ? resolve() : reject(new Error(`${response.statusCode}`)),
          );
        });
        request.on('error', reject);
        request.end();
      });
    }
  };
  await Promise.all(Array.from({ length: parallel }, remover));
  const elapsedMs = performance.now() - startedMs;
  agent.destroy();
  return (1_000 * ids.length) / elapsedMs;
}

async function insertRecords(database: Database, ids: string[]): Promise<void> {
  await database.pool.query(
    `INSERT INTO runtime_records (game_id, status, current_container_id, current_image_ref, stopped_at, last_op_at, created_at)
     SELECT game, 'stopped', id, 'bench', now(), now(), now() FROM unnest($1::text[], $2::text[]) AS t (game, id)`,
    [ids.map((id) => games.get(id)), ids],
  );
}

async function main({ context, database, queues, closing }: Stores): Promise<void> {
  const { config, signal } = context;
  const { producer: queue, endings } = queues;
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
  const floors: number[] = [];
  const ours: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    floors.push(await floor(await createContainers(`floor-${round}`, image), config.workerConcurrency));
    const ids = await createContainers(`ours-${round}`, image);
    await insertRecords(database, ids);
    const started = await database.pool.query<{ at: Date }>('SELECT clock_timestamp() AS at');
    const jobs = await queue.enqueue(ids.map((id) => ({ gameId: games.get(id) ?? '', opSource: 'operator_cli' })));
    let succeeded = 0;
    await endings.wait(
      jobs.map((job) => job.jobId),
      (ending) => {
        if (ending.state === 'completed' && ending.result.errorCode === '') succeeded += 1;
      },
      signal,
    );
    // The last row of the operation log, not the moment we heard of it: news of an ending may take a second.
    const { rows } = await database.pool.query<{ seconds: number }>(
      'SELECT extract(epoch FROM max(finished_at) - $1)::float8 AS seconds FROM operation_log',
      [started.rows[0]?.at],
    );
    ours.push(ids.length / (rows[0]?.seconds ?? Number.NaN));
    if (succeeded !== ids.length) throw new Error(`only ${succeeded} of ${ids.length} cleanups succeeded`);
    console.log(`round ${round}: floor ${floors.at(-1)?.toFixed(0)}/s, ours ${ours.at(-1)?.toFixed(0)}/s`);
  }
  const ratios = ours.map((rate, i) => rate / (floors[i] ?? rate));
  console.log(
    `median: floor ${median(floors).toFixed(0)}/s, ours ${median(ours).toFixed(0)}/s, ratio ${median(ratios).toFixed(2)}`,
  );
}

await onStores(main, {
  DOCKER_HOST: `unix://${socketPath}`,
  ...(values.concurrency === '' ? {} : { RTMANAGER_WORKER_CONCURRENCY: values.concurrency }),
});
