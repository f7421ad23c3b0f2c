import { afterEach, describe, expect, it } from 'vitest';
import { openBreaker, watchLeaseStore, watchOperations, watchRecords } from '../../../src/app/open-breaker.js';
import { createShutdownStack } from '../../../src/app/shutdown-stack.js';
import type { OperationEntry } from '../../../src/domain/operation.js';
import type { LeaseStore } from '../../../src/lease/lease-store.js';
import type { Log } from '../../../src/telemetry/logger.js';
import { createManualClock } from '../../support/manual-clock.js';
import { away } from '../circuit-breaker/breaker-world.js';
import { recordTelemetry } from '../telemetry/recorded-telemetry.js';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

function setUp() {
  const clock = createManualClock();
  const recorded = recordTelemetry(clock);
  stops.push(recorded.stop);
  const lines: unknown[] = [];
  const write =
    (level: string): Log['info'] =>
    (fields, message) =>
      void lines.push([level, message, fields]);
  const log: Log = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  const closing = createShutdownStack(log);
  const breaker = openBreaker({ config: { dockerTimeoutMs: 1_000 }, clock, log }, recorded.telemetry, closing);
  return { clock, lines, breaker, closing, points: recorded.points };
}

const refuses = (): Promise<never> => Promise.reject(away('postgresql'));
const entry = {} as OperationEntry;

async function refusedTimes(times: number, call: () => Promise<unknown>): Promise<void> {
  for (let i = 0; i < times; i++) await expect(call()).rejects.toThrow('no answer');
}

describe('the breaker of a worker', () => {
  it('says in one line that a dependency is away, in one that it is back, and shows it in the metrics', async () => {
    const { breaker, clock, lines, points, closing } = setUp();
    const operations = watchOperations({ append: refuses }, breaker);
    await refusedTimes(8, () => operations.append(entry));
    expect(await points()).toMatchObject([{ instrument: 'rtmanager.circuit.open', value: 1 }]);
    await clock.advance(2_500);
    await breaker.watch('postgresql', async () => true);
    expect(lines).toEqual([
      ['warn', 'dependency unavailable; jobs wait for it', { dependency: 'postgresql', reason: 'no answer' }],
      ['info', 'dependency answers again', { dependency: 'postgresql', away_ms: 2_500 }],
    ]);
    expect(await points()).toMatchObject([{ instrument: 'rtmanager.circuit.open', value: 0 }]);
    await closing.closeAll();
  });

  it('takes every call of records and log as one of the same database', async () => {
    const { breaker, lines } = setUp();
    const records = watchRecords({ take: refuses, markRemoved: refuses }, breaker);
    await refusedTimes(2, () => records.take('g'));
    await refusedTimes(2, () => watchOperations({ append: refuses }, breaker).append(entry));
    expect(lines).toEqual([]);
    await refusedTimes(1, () => records.take('g'));
    expect(lines).toHaveLength(1);
  });

  it('learns from acquisitions and renewals, and is not deceived by a store that can still free a lease', async () => {
    const { breaker, lines } = setUp();
    const full: LeaseStore = { acquire: refuses, renew: refuses, release: async () => true };
    const store = watchLeaseStore(full, 'redis', breaker);
    for (let i = 0; i < 5; i++) {
      await refusedTimes(1, () => (i % 2 === 0 ? store.acquire('g', 't', 1) : store.renew('g', 't', 1)));
      await store.release('g', 't');
    }
    expect(lines).toHaveLength(1);
  });
});
