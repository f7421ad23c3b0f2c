/** Every call of the engine ends in time with an answer or an outage, for every fault of the connection. */
import { describe, expect, inject, test, vi } from 'vitest';
import { callMatrix } from './experiments/engine-calls/matrix.js';
import { engineFaults } from './experiments/engine-calls/faults.js';
import { cutEverywhere } from './experiments/engine-calls/offsets.js';
import { faultyWorkers } from './experiments/engine-calls/worker.js';
import { startRedis } from '../support/redis.js';

const quiet = { seed: 1, say: () => undefined } as const;
// Half a minute on a quiet machine, and minutes on a busy one.
vi.setConfig({ testTimeout: 240_000 });
const engine = () => ({ engineSocket: inject('engineSocket') });

test('every kind of call ends in time under every fault', async () => {
  const findings = await callMatrix(engine(), { ...quiet, runs: 1 });
  expect(findings.length).toBeGreaterThanOrEqual(33);
  expect(findings.flatMap(({ violations }) => violations)).toEqual([]);
});

describe("the engine's real answers, cut off", () => {
  test('every call ends in time when the answer is cut off after any byte', async () => {
    const findings = await cutEverywhere(engine(), { ...quiet, stride: 1, end: 'fin' });
    // The shortest is a removal's 204, the longest a description of some thousand bytes.
    const runs = findings.map((finding) => finding.runs).sort((a, b) => a - b);
    expect(runs).toHaveLength(7);
    expect(runs[0]).toBeGreaterThan(100);
    expect(runs.at(-1)).toBeGreaterThan(3_000);
    expect(findings.flatMap(({ violations }) => violations)).toEqual([]);
  });

  test('every call ends in time when the answer is cut off with a reset', async () => {
    const findings = await cutEverywhere(engine(), { ...quiet, stride: 7, end: 'reset' });
    expect(findings.flatMap(({ violations }) => violations)).toEqual([]);
  });
});

test('a worker whose calls fail cleans other games meanwhile, and these games once the fault is over', async () => {
  const redis = await startRedis();
  const servers = { ...engine(), postgresUrl: inject('postgresUrl'), redisUrl: redis.url };
  const names = new Set([
    'hang after',
    'body cut in half',
    'endless body',
    'chunk without a length',
    'answer 404 "page not found"',
  ]);
  const faults = engineFaults(1_000).filter(({ name }) => names.has(name));
  try {
    const findings = await faultyWorkers(servers, { ...quiet, runs: 1, lanes: 2, store: 'redis', faults });
    expect(findings.map(({ recoveriesMs }) => recoveriesMs.length)).toEqual([2, 2, 2, 2, 2]);
    expect(findings.flatMap(({ violations }) => violations)).toEqual([]);
  } finally {
    await redis.stop();
  }
});
