/** The stores, the engine and the processes of a platform, for tests that act as its operator. */
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { Client } from 'pg';
import { expect, inject } from 'vitest';
import { createMigratedDatabase } from '../support/postgres/database.js';
import { startRedis, type TestRedis } from '../support/redis.js';
import { type Service, startService } from '../support/service.js';
import { createTestContainers, type TestContainers } from '../support/engine/test-containers.js';
import { createQueueChanges, type UntilQueue } from '../support/queue/queue-changes.js';
import { PREFIX } from '../../src/adapters/bullmq/names.js';

export type Store = 'postgres' | 'redis';

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly text: string;
  /** What the text means if it is JSON. */
  readonly body: unknown;
  readonly elapsedMs: number;
}

interface Asked {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** Asks a server; `path` is sent as it stands, below `/api/v1/internal` unless it begins with a slash. */
export type Ask = (method: string, path: string, asked?: Asked) => Promise<Answer>;

export interface World {
  readonly databaseUrl: string;
  readonly db: Client;
  /** The world's own. */
  readonly redis: TestRedis | undefined;
  readonly containers: TestContainers;
  /** Runs a command against the world's stores. */
  readonly run: (args: readonly string[], more?: Readonly<Record<string, string>>) => Service;
  /** Runs one to its end. */
  readonly command: (...args: readonly string[]) => Promise<{ readonly exitCode: number | null } & Said>;
  /** Starts `serve` or `api` on a free port; resolves when it listens. */
  readonly listen: (role: 'serve' | 'api', more?: Readonly<Record<string, string>>) => Promise<Listening>;
  /** Writes the record of a game that was stopped so many days ago. */
  readonly stopped: (gameId: string, daysAgo: number, containerId?: string) => Promise<void>;
  readonly statusOf: (gameId: string) => Promise<string | undefined>;
  readonly untilQueue: UntilQueue;
  /** Resolves once the record is `removed`, which a worker writes before the end of its job. */
  readonly untilRemoved: (gameId: string) => Promise<void>;
  /** Ends every process and every store. */
  readonly end: () => Promise<void>;
}

interface Said {
  readonly stdout: string;
  readonly stderr: string;
}

export interface Listening {
  readonly service: Service;
  readonly port: number;
  readonly ask: Ask;
}

interface Options {
  /** The address of servers that the test has started, for the store `redis`; without it the world starts one of its own. */
  readonly redisUrl?: string;
}

export async function createWorld(store: Store, { redisUrl }: Options = {}): Promise<World> {
  const database = await createMigratedDatabase();
  const redis = store === 'redis' && redisUrl === undefined ? await startRedis() : undefined;
  const address = redisUrl ?? redis?.url;
  const containers = await createTestContainers(inject('engineSocket'));
  const db = new Client({ connectionString: database.url });
  await db.connect();
  const services: Service[] = [];
  const environment = {
    DATABASE_URL: database.url,
    DOCKER_HOST: `unix://${inject('engineSocket')}`,
    RTMANAGER_INTERNAL_HTTP_ADDR: '127.0.0.1:0',
    ...(address === undefined ? {} : { REDIS_URL: address }),
  };

  const changes = createQueueChanges({ ...environment, QUEUE_SPACE: PREFIX });
  const statusOf: World['statusOf'] = async (gameId) => {
    const text = 'SELECT status FROM runtime_records WHERE game_id = $1';
    return (await db.query<{ status: string }>(text, [gameId])).rows[0]?.status;
  };

  const run: World['run'] = (args, more) => {
    const service = startService(args, { ...environment, ...more });
    services.push(service);
    return service;
  };

  return {
    databaseUrl: database.url,
    db,
    redis,
    containers,
    run,
    command: async (...args) => {
      const service = run(args);
      const exitCode = await service.exit;
      return { exitCode, stdout: service.stdout(), stderr: service.stderr() };
    },
    listen: async (role, more) => {
      const service = run([role], more);
      const { port } = await service.logged('listening');
      return { service, port: Number(port), ask: askAt(Number(port)) };
    },
    stopped: async (gameId, daysAgo, containerId) => {
      await db.query(
        `INSERT INTO runtime_records (game_id, status, current_container_id, stopped_at, last_op_at, created_at)
         SELECT $1, 'stopped', $2, since, since, since
         FROM (SELECT now() - $3::double precision * interval '1 day' AS since) AS clock`,
        [gameId, containerId ?? null, daysAgo],
      );
    },
    statusOf,
    untilQueue: changes.untilQueue,
    untilRemoved: (gameId) =>
      changes.untilQueue(async () => expect(await statusOf(gameId)).toBe('removed'), { withinMs: 30_000 }),
    end: async () => {
      await Promise.all(services.splice(0).map((service) => service.kill()));
      await changes.close();
      await db.end();
      await database.drop();
      await redis?.stop();
      await containers.clear();
    },
  };
}

/** `fetch` removes steps such as `..` from a path, however they are written; this sends the path unchanged. */
const askAt =
  (port: number): Ask =>
  async (method, path, { headers = {}, body } = {}) => {
    const askedMs = performance.now();
    const content = body === undefined ? undefined : JSON.stringify(body);
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const asking = request({
        host: '127.0.0.1',
        port,
        method,
        path: path.startsWith('/') ? path : `/api/v1/internal/${path}`,
        headers: { ...(content === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
        agent: false,
      });
      asking.once('response', resolve).once('error', reject);
      asking.end(content);
    });
    const said = await text(response);
    const isJson = response.headers['content-type']?.includes('json') === true;
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      text: said,
      body: isJson ? (JSON.parse(said) as unknown) : undefined,
      elapsedMs: performance.now() - askedMs,
    };
  };
