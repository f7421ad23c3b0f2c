import { describe, expect, it, onTestFinished } from 'vitest';
import { composeCore, requestsTo } from '../../../src/app/compose-core.js';
import type { Database } from '../../../src/app/connect/database.js';
import { systemClock } from '../../../src/async/clock.js';
import type { CleanupQueue } from '../../../src/jobs/ports.js';
import { createLogger } from '../../../src/telemetry/logger.js';
import { read } from '../config/reading.js';

function compose() {
  const core = composeCore({
    config: read({}),
    log: createLogger({ name: 'test', level: 'silent' }),
    clock: systemClock,
    patienceMs: 0,
    signal: new AbortController().signal,
  });
  onTestFinished(core.close);
  return core;
}

describe('an unconnected core', () => {
  it.each([
    ['a query of records', () => compose().queries.findRecord('game-1')],
    ['a list of engines', () => compose().engines.list()],
    ['a question for the time', () => compose().now()],
    ['a page of the retention plan', () => compose().retention.plan({ includeNotDue: false, limit: 1 })],
    ['a sweep', () => compose().retention.sweep({ signal: new AbortController().signal })],
  ])('an unconnected core rejects %s with UnavailableError of the database', async (_call, ask) => {
    await expect(ask()).rejects.toMatchObject({
      dependency: 'postgresql',
      message: 'the database has not been reached since this service started',
    });
  });

  it.each([
    ['a new job', () => compose().queues.producer.enqueue([{ gameId: 'game-1', opSource: 'admin_rest' }])],
    ['a look at a job', () => compose().queues.lookup.find('1')],
    ['a page of dead letters', () => compose().queues.deadLetters.list({ limit: 1 })],
    ['a question for the schedule', () => compose().queues.schedule.status()],
    ['the retention summary, which needs the dead letters', () => compose().retention.summary()],
  ])('an unconnected core rejects %s with UnavailableError of the queue', async (_call, ask) => {
    await expect(ask()).rejects.toMatchObject({
      dependency: 'queue',
      message: "the queue's store has not been reached since this service started",
    });
  });
});

describe('a connected core', () => {
  it('a connected core asks the database, and closes it once', async () => {
    const closed: string[] = [];
    const now = new Date('2026-03-01T00:00:00Z');
    const close = async (): Promise<void> => void closed.push('database');
    const core = compose();
    await core.connectDatabase(async () => ({ now: async () => now, close }) as unknown as Database);
    expect(await core.now()).toBe(now);
    await core.close();
    await core.close();
    expect(closed).toEqual(['database']);
  });
});

describe('the requests of a sweep', () => {
  it('the requests of a sweep become jobs of the source auto_ttl, counted as new or coalesced', async () => {
    const requested: unknown[] = [];
    const queue: Pick<CleanupQueue, 'enqueue'> = {
      enqueue: async (requests) => {
        requested.push(...requests);
        return requests.map(({ gameId }) => ({ jobId: gameId, coalesced: gameId === 'b' }) as never);
      },
    };
    expect(await requestsTo(queue).request(['a', 'b', 'c'])).toEqual({ enqueued: 2, coalesced: 1 });
    expect(requested).toEqual(['a', 'b', 'c'].map((gameId) => ({ gameId, opSource: 'auto_ttl' })));
  });
});
