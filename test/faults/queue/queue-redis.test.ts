/** Jobs that no BullMQ client would write, and a Redis that forgets. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openRedisStore } from '../../../src/adapters/bullmq/store/redis-store.js';
import { createQueueTelemetry } from '../../../src/adapters/bullmq/store/queue-telemetry.js';
import { createCleanupWorker } from '../../../src/adapters/bullmq/worker/cleanup-worker.js';
import type { QueueWorker } from '../../../src/adapters/bullmq/worker/queue-worker.js';
import { createRedis } from '../../../src/adapters/redis/connection.js';
import { systemClock } from '../../../src/async/clock.js';
import { UnavailableError } from '../../../src/domain/errors.js';
import { createRecordingReport } from '../../support/queue/queue-report.js';
import {
  completed,
  deadLetter,
  type ScriptedConsumer,
  scripted,
  abandonedByQueue,
} from '../../support/queue/queue-scripts.js';
import { type QueueSpace, startStore, type TestStore } from '../../support/queue/queue-stores.js';
import { eventually } from '../../support/eventually.js';

const request = (gameId: string) => ({ gameId, opSource: 'lobby_stream' });

describe('on Redis', () => {
  let store: TestStore;
  let space: QueueSpace;
  let worker: QueueWorker;
  const abandoned: string[] = [];

  const work = async (consumer: ScriptedConsumer): Promise<ScriptedConsumer> => {
    worker = createCleanupWorker(
      {
        backend: space.backend,
        consumer,
        clock: systemClock,
        report: space.report,
        telemetry: createQueueTelemetry(),
        abandoned: (delivery, reason) => {
          abandoned.push(`${delivery.jobId}: ${reason}`);
          return abandonedByQueue(delivery, reason);
        },
      },
      { lockMs: 1_000, stallCheckMs: 300 },
    );
    await worker.start();
    return consumer;
  };
  const redis = () => space.plain.getBackend().client;
  const key = (jobId: string) => `${space.plain.qualifiedName}:${jobId}`;
  const ended = (jobId: string, state: string) =>
    eventually(async () => expect(await (await space.plain.getJob(jobId))?.getState()).toBe(state), {
      withinMs: 20_000,
    });
  /** A job that waits, changed behind BullMQ's back. */
  const tampered = async (fields: Record<string, string>): Promise<string> => {
    const job = await space.plain.add('cleanup_container', request('game-1'), { delay: 3_600_000 });
    const jobId = job.id ?? '';
    await (await redis()).hset(key(jobId), fields);
    // Promotion reads nothing of what was changed.
    await job.promote();
    return jobId;
  };

  beforeAll(async () => {
    store = await startStore('redis');
  });
  afterAll(() => store.stop());
  beforeEach(async () => {
    space = await store.space();
    abandoned.length = 0;
  });
  afterEach(async () => {
    await worker.stop({ graceMs: 0 });
    await space.close();
  });

  const unreadable = {
    'data that is no JSON': { data: '{"gameId": ' },
    'options that are no JSON': { opts: 'attempts=3' },
    'options that are null': { opts: 'null' },
    'progress that is no JSON': { progress: 'half' },
    'a parent that is no JSON': { parent: '<parent/>' },
    'all of it broken': { data: '\u0000', opts: '[', progress: '}', parent: '"' },
  };

  it.each(Object.entries(unreadable))(
    'a job with %s reaches the consumer, and the next job is not kept waiting',
    async (_what, fields) => {
      const jobId = await tampered(fields);
      const consumer = await work(
        scripted(({ payload }) =>
          'gameId' in Object(payload) ? completed() : deadLetter('invalid_request: unreadable'),
        ),
      );
      const next = await space.plain.add('cleanup_container', request('game-2'));
      await ended(next.id ?? '', 'completed');
      await ended(jobId, 'data' in fields ? 'failed' : 'completed');
      expect(consumer.deliveries.map((delivery) => delivery.jobId).toSorted()).toEqual(
        [jobId, next.id ?? ''].toSorted(),
      );
      expect(space.report.of('repaired')).toHaveLength(1);
    },
    30_000,
  );

  it('a trace context that cannot be read does not end the worker', async () => {
    const contexts = ['not json', '5', 'null', '{"traceparent":7,"baggage":{}}', '["x"]'];
    const consumer = await work(scripted());
    for (const metadata of contexts)
      await space.plain.add('cleanup_container', request('game-1'), { telemetry: { metadata } });
    await eventually(async () => expect(await space.plain.getCompletedCount()).toBe(contexts.length));
    expect(consumer.deliveries).toHaveLength(contexts.length);
    expect(space.report.lines).toEqual([]);
  });

  it('a job BullMQ has given up for stalling goes to the consumer, which knows how often', async () => {
    const jobId = await tampered({ defa: 'job stalled more than allowable limit', stc: '12' });
    const consumer = await work(scripted(() => deadLetter('internal_error: the worker vanished 12 times')));
    await ended(jobId, 'failed');
    expect(consumer.deliveries).toMatchObject([{ jobId, crashes: 12 }]);
    expect(abandoned).toEqual([]);
  });

  it('a job BullMQ gives up for another reason is a dead letter like any, and is told', async () => {
    const jobId = await tampered({ defa: 'child 7 failed' });
    const consumer = await work(scripted());
    await ended(jobId, 'failed');
    expect((await space.plain.getJob(jobId))?.failedReason).toBe(
      'internal_error: the queue gave the job up: child 7 failed',
    );
    expect(abandoned).toEqual([`${jobId}: child 7 failed`]);
    expect(consumer.deliveries).toEqual([]);
  });

  it('a Redis that lost everything is worked for like a new one', async () => {
    const consumer = await work(scripted());
    await space.plain.add('cleanup_container', request('game-1'));
    await eventually(() => expect(consumer.deliveries).toHaveLength(1));
    await space.plain.obliterate({ force: true });
    await space.plain.add('cleanup_container', request('game-2'));
    await eventually(async () => expect(await space.plain.getCompletedCount()).toBe(1), { withinMs: 20_000 });
  }, 30_000);

  it('is not opened before Redis answers: a deadline and a signal bound the wait', async () => {
    await work(scripted());
    await store.proxy.cut();
    const url = `redis://127.0.0.1:${store.proxy.port}`;
    const onError = (): void => undefined;
    const commands = createRedis({ url, role: 'commands', onError });
    const blocking = createRedis({ url, role: 'blocking', onError });
    const report = createRecordingReport();
    const open = (deadlineMs: number, signal = new AbortController().signal) =>
      openRedisStore({ commands, blocking, prefix: '{late}', clock: systemClock, report, deadlineMs, signal });
    await expect(open(1_500)).rejects.toBeInstanceOf(UnavailableError);
    await expect(open(600, AbortSignal.abort(new Error('changed my mind')))).rejects.toThrow('changed my mind');
    expect(report.of('unavailable')).toHaveLength(1);
    const opening = open(30_000);
    await store.proxy.restore();
    expect((await opening).kind).toBe('redis');
    commands.disconnect();
    blocking.disconnect();
  }, 40_000);
});
