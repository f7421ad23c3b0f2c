import { describe, expect, test } from 'vitest';
import { type ConnectionNeeds, leastConnections, shareConnections } from '../../../src/config/connections.js';
import { readConfig } from '../../../src/config/config.js';
import { ConfigError } from '../../../src/domain/errors.js';
import type { Environment } from '../../../src/config/environment.js';

const linesOf = (environment: Environment): readonly string[] => {
  try {
    readConfig(environment, { uid: 1_000, homeDir: '/home/kim' });
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.lines;
    throw error;
  }
};

const read = (environment: Environment) => readConfig(environment, { uid: 1_000, homeDir: '/home/kim' });

const DATABASE = { DATABASE_URL: 'postgresql://db/games' };
const REDIS = { REDIS_URL: 'redis://cache' };

const at = (needs: Partial<ConnectionNeeds>): ConnectionNeeds => ({
  databaseUrl: 'postgresql://db/games',
  queueBackend: 'redis',
  leaseStore: 'redis',
  workerConcurrency: 8,
  ...needs,
});

describe('the least connections of a process', () => {
  test.each([
    ['queue and leases in Redis', at({}), 3],
    ['leases in PostgreSQL', at({ leaseStore: 'postgres' }), 4],
    ['queue in PostgreSQL', at({ queueBackend: 'postgres' }), 9],
    ['queue and leases in PostgreSQL', at({ queueBackend: 'postgres', leaseStore: 'postgres' }), 10],
    ['the embedded PostgreSQL', at({ databaseUrl: null, queueBackend: 'postgres', leaseStore: 'postgres' }), 11],
    ['16 jobs, which share one connection', at({ workerConcurrency: 16 }), 3],
    ['17 jobs, which need a second one', at({ workerConcurrency: 17 }), 4],
    [
      '256 jobs, all in PostgreSQL',
      at({ workerConcurrency: 256, queueBackend: 'postgres', leaseStore: 'postgres' }),
      55,
    ],
  ])('%s: %o needs %i', (_what, needs, least) => {
    expect(leastConnections(needs)).toBe(least);
    const { records, queue, queueWork } = shareConnections({ ...needs, maxConnections: least });
    expect(records + queue + (needs.databaseUrl === null ? 1 : 0)).toBe(least);
    expect(queueWork).toBeLessThanOrEqual(Math.max(0, queue - 5));
  });

  test('the shares never exceed the setting, and what is more than the least goes to both pools', () => {
    const needs = at({ queueBackend: 'postgres', leaseStore: 'postgres' });
    expect(shareConnections({ ...needs, maxConnections: 20 })).toEqual({ records: 9, queue: 11, queueWork: 6 });
    expect(shareConnections({ ...at({}), maxConnections: 20 })).toEqual({ records: 20, queue: 0, queueWork: 0 });
  });
});

describe('RTMANAGER_MAX_CONNECTIONS', () => {
  test('the default is 20, or what many jobs at a time need', () => {
    expect(read({ ...DATABASE, ...REDIS }).maxConnections).toBe(20);
    expect(read({ ...DATABASE, RTMANAGER_WORKER_CONCURRENCY: '256' }).maxConnections).toBe(55);
  });

  test('too few connections for the jobs are refused in one line with both values and what is allowed', () => {
    expect(linesOf({ ...DATABASE, RTMANAGER_MAX_CONNECTIONS: '12', RTMANAGER_WORKER_CONCURRENCY: '64' })).toEqual([
      'RTMANAGER_MAX_CONNECTIONS: "12" is too few for RTMANAGER_WORKER_CONCURRENCY=64 (queue in postgres, leases in postgres); allowed: 19 to 1000, or RTMANAGER_WORKER_CONCURRENCY of at most 16',
    ]);
    expect(linesOf({ ...DATABASE, RTMANAGER_MAX_CONNECTIONS: '19', RTMANAGER_WORKER_CONCURRENCY: '64' })).toEqual([]);
  });

  test('too few connections for even one job are refused with the least that is allowed', () => {
    expect(linesOf({ RTMANAGER_MAX_CONNECTIONS: '5' })).toEqual([
      'RTMANAGER_MAX_CONNECTIONS: "5" is too few for RTMANAGER_WORKER_CONCURRENCY=4 (queue in postgres, leases in postgres, embedded PostgreSQL); allowed: 11 to 1000',
    ]);
  });
});
