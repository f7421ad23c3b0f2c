import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { type Service, startService } from '../../../scripts/services/child.mjs';
import { freePort } from '../../../scripts/services/free-port.mjs';
import { redisAnswers, startRedisServer } from '../../../scripts/services/redis.mjs';
import { which } from '../../../scripts/which.mjs';
import { eventually } from '../eventually.js';
import { expectCopying } from './replication.js';

const MASTER_NAME = 'cleanup-master';
const SENTINELS = 3;
const QUORUM = 2;
/** So long after the master's last sign of life the sentinels replace it. */
const DOWN_AFTER_MS = 600;
/**
 * A sentinel that gets no time from a busy machine for two seconds stops its work for thirty, and a replaced master stays
 * a master for eight: too long for a test.
 */
const TIMES = ['TILT-TRIGGER', 20_000, 'TILT-PERIOD', 1_000, 'PUBLISH-PERIOD', 500, 'INFO-PERIOD', 1_000] as const;

export interface TestSentinels {
  /** In the grammar of `REDIS_URL`, with all sentinels. */
  readonly url: string;
  /** The same with another name of the master. */
  readonly urlOf: (masterName: string) => string;
  /** `redis://` of the first sentinel. */
  readonly sentinelUrl: string;
  /** `redis://` of the server that is the master now, as the sentinels know it. */
  readonly masterUrl: () => Promise<string>;
  /** Kills the master, without warning. */
  readonly killMaster: () => Promise<void>;
  /** The master answers nothing more, as one that lost its network. */
  readonly freezeMaster: () => Promise<void>;
  /** The sentinels make the replica the master, as an operator asks them to. */
  readonly switchMaster: () => Promise<void>;
  readonly stopOneSentinel: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** A master, a replica and three sentinels on 127.0.0.1. Stop them in `afterAll`. */
export const startRedisSentinels = async (): Promise<TestSentinels> => {
  const master = await startRedisServer({ settings: { 'repl-diskless-sync-delay': 0 } });
  const replica = await startRedisServer({ settings: { replicaof: `127.0.0.1 ${master.port}` } });
  const sentinels = await Promise.all(Array.from({ length: SENTINELS }, () => startSentinel(master.port)));
  const servers = [master, replica];
  const [first] = sentinels;
  const client = new Redis({ port: first?.port ?? 0, maxRetriesPerRequest: null, enableReadyCheck: false });
  client.on('error', () => undefined);
  const stop = async (): Promise<void> => {
    client.disconnect();
    await Promise.all([...servers, ...sentinels].map((server) => server.stop()));
  };
  const masterPort = async (): Promise<number> => {
    const answer = await client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', MASTER_NAME);
    return Number(Array.isArray(answer) ? answer[1] : undefined);
  };
  const currentMaster = async () => {
    const port = await masterPort();
    const server = servers.find((one) => one.port === port);
    if (server === undefined) throw new Error(`the sentinels name port ${port}, and no server of the test has it`);
    return server;
  };
  try {
    await eventually(() => Promise.all(sentinels.map(({ port }) => knowsAll(port))), { withinMs: 30_000 });
  } catch (error) {
    await stop();
    throw error;
  }
  const hosts = sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',');
  const urlOf = (name: string): string => `redis-sentinel://${hosts}/0#${name}`;
  return {
    url: urlOf(MASTER_NAME),
    urlOf,
    sentinelUrl: `redis://127.0.0.1:${first?.port}`,
    masterUrl: async () => `redis://127.0.0.1:${await masterPort()}`,
    killMaster: async () => (await currentMaster()).stop(),
    freezeMaster: async () => void (await currentMaster()).signal('SIGSTOP'),
    switchMaster: async () => {
      const old = await currentMaster();
      const direct = new Redis({ port: old.port, maxRetriesPerRequest: null });
      direct.on('error', () => undefined);
      try {
        await eventually(() => client.call('SENTINEL', 'FAILOVER', MASTER_NAME));
        const copies = async (): Promise<void> => {
          const port = await masterPort();
          if (port === old.port) throw new Error('the sentinels have not replaced the master yet');
          await expectCopying(direct, port);
        };
        // Sentinels make the old master a replica only after it has called itself a master for four of their periods more.
        await eventually(copies, { withinMs: 30_000 });
      } finally {
        direct.disconnect();
      }
    },
    stopOneSentinel: async () => sentinels.at(-1)?.stop(),
    stop,
  };
};

async function startSentinel(masterPort: number): Promise<Service & { readonly port: number }> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'runtime-cleanup-sentinel-'));
  // A sentinel writes what it learns into its own configuration.
  const file = join(folder, 'sentinel.conf');
  writeFileSync(
    file,
    [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${folder}`,
      `sentinel monitor ${MASTER_NAME} 127.0.0.1 ${masterPort} ${QUORUM}`,
      `sentinel down-after-milliseconds ${MASTER_NAME} ${DOWN_AFTER_MS}`,
      `sentinel failover-timeout ${MASTER_NAME} 1000`,
      '',
    ].join('\n'),
  );
  const service = await startService({
    name: 'redis-sentinel',
    command: which('redis-server') ?? 'redis-server',
    args: [file, '--sentinel'],
    folder,
    isReady: () => redisAnswers({ host: '127.0.0.1', port }),
    stopSignal: 'SIGKILL',
  });
  void service.ended.then(() => rmSync(folder, { recursive: true, force: true }));
  return { ...service, port };
}

/** The servers that the sentinels watch are known to each of them, and each knows the others. */
async function knowsAll(port: number): Promise<void> {
  const client = new Redis({ port, enableReadyCheck: false, retryStrategy: () => null });
  try {
    await client.call('SENTINEL', 'DEBUG', ...TIMES);
    const info = await client.info('sentinel');
    if (!info.includes(`slaves=1,sentinels=${SENTINELS}`)) throw new Error(`a sentinel does not know all yet: ${info}`);
  } finally {
    client.disconnect();
  }
}
