/** Servers that may be killed: engine, Redis and PostgreSQL of one lane alone. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PrivateEngine, startPrivateEngine } from '../../../../scripts/services/engine.mjs';
import { type RedisServer, startRedisServer } from '../../../../scripts/services/redis.mjs';
import type { Servers } from '../../experiment.js';
import { type ReplicatedPostgres, startReplicatedPostgres } from './replicated-postgres.js';

interface KillableRedis {
  readonly url: string;
  readonly signal: RedisServer['signal'];
  /** SIGKILL, and resolves when the process is gone. */
  readonly kill: () => Promise<void>;
  /** On the same port, with what it had written down, or with nothing. */
  readonly restart: (data: 'kept' | 'lost') => Promise<void>;
  readonly stop: () => Promise<void>;
}

export interface OwnServers {
  readonly engine: PrivateEngine;
  readonly postgres: ReplicatedPostgres;
  readonly redis: KillableRedis;
  readonly servers: Servers;
  readonly stop: () => Promise<void>;
}

export async function startOwnServers(): Promise<OwnServers> {
  const [engine, postgres, redis] = await Promise.all([
    startPrivateEngine(),
    startReplicatedPostgres(),
    startKillableRedis(),
  ]);
  return {
    engine,
    postgres,
    redis,
    servers: { engineSocket: engine.socketPath, postgresUrl: postgres.url, redisUrl: redis.url },
    stop: async () => {
      await Promise.all([engine.stop(), postgres.stop(), redis.stop()]);
    },
  };
}

async function startKillableRedis(): Promise<KillableRedis> {
  const dataFolder = mkdtempSync(join(tmpdir(), 'runtime-cleanup-redis-data-'));
  const forget = (): void => rmSync(dataFolder, { recursive: true, force: true });
  process.once('exit', forget);
  let server = await startRedisServer({ dataFolder });
  const { url, port } = server;
  return {
    url,
    signal: (signal) => server.signal(signal),
    kill: () => server.stop(),
    restart: async (data) => {
      await server.stop();
      if (data === 'lost') rmSync(join(dataFolder, 'appendonlydir'), { recursive: true, force: true });
      server = await startRedisServer({ dataFolder, port });
    },
    stop: async () => {
      await server.stop();
      process.off('exit', forget);
      forget();
    },
  };
}
