/** Jobs that no BullMQ client writes, and a Redis that lost its data. */
import { describe, expect, it } from 'vitest';
import { openRedisStore } from '../../../src/adapters/bullmq/store/redis-store.js';
import { createRedis } from '../../../src/adapters/redis/connection.js';
import { systemClock } from '../../../src/async/clock.js';
import { UnavailableError } from '../../../src/domain/errors.js';
import { createRecordingReport } from '../../support/queue/queue-report.js';
import { completed, deadLetter, type ScriptedConsumer, scripted } from '../../support/queue/queue-scripts.js';
import { requestFor, useQueueWorld } from '../../support/queue/queue-world.js';

describe('a cleanup worker on Redis', () => {
  const world = useQueueWorld('redis');
  const work = async (consumer: ScriptedConsumer): Promise<ScriptedConsumer> => {
    await world.startCleanupWorker(consumer, { lockMs: 1_000, stallCheckMs: 300 });
    return consumer;
  };
  const redis = () => world.space.plain.getBackend().client;
  const key = (jobId: string) => `${world.space.plain.qualifiedName}:${jobId}`;
  const ended = (jobId: string, state: string) => world.untilState(jobId, state, { withinMs: 20_000 });
  /** A waiting job, changed without BullMQ. */
  const tampered = async (fields: Record<string, string>): Promise<string> => {
    const job = await world.space.plain.add('cleanup_container', requestFor('game-1'), { delay: 3_600_000 });
    const jobId = job.id ?? '';
    await (await redis()).hset(key(jobId), fields);
    // Promotion does not read the changed fields.
    await job.promote();
    return jobId;
  };

  const unreadable = {
    'data that is not JSON': { data: '{"gameId": ' },
    'options that are not JSON': { opts: 'attempts=3' },
    'options that are null': { opts: 'null' },
    'progress that is not JSON': { progress: 'half' },
    'a parent that is not JSON': { parent: '<parent/>' },
    'no valid field': { data: '\u0000', opts: '[', progress: '}', parent: '"' },
  };

  it.each(Object.entries(unreadable))(
    'a job with %s reaches the consumer, and the next job does not wait',
    async (_what, fields) => {
      const jobId = await tampered(fields);
      const consumer = await work(
        scripted(({ payload }) =>
          'gameId' in Object(payload) ? completed() : deadLetter('invalid_request: unreadable'),
        ),
      );
      const nextId = await world.add('game-2');
      await ended(nextId, 'completed');
      await ended(jobId, 'data' in fields ? 'failed' : 'completed');
      expect(consumer.deliveries.map((delivery) => delivery.jobId).toSorted()).toEqual([jobId, nextId].toSorted());
      expect(world.space.report.of('repaired')).toHaveLength(1);
    },
    30_000,
  );

  it('a trace context that cannot be read does not end the worker', async () => {
    const contexts = ['not json', '5', 'null', '{"traceparent":7,"baggage":{}}', '["x"]'];
    const consumer = await work(scripted());
    for (const metadata of contexts) await world.add('game-1', { telemetry: { metadata } });
    await world.untilCompleted(contexts.length);
    expect(consumer.deliveries).toHaveLength(contexts.length);
    expect(world.space.report.lines).toEqual([]);
  });

  it('a job that BullMQ abandoned for stalling goes to the consumer with the number of stalls', async () => {
    const jobId = await tampered({ defa: 'job stalled more than allowable limit', stc: '12' });
    const consumer = await work(scripted(() => deadLetter('internal_error: the worker vanished 12 times')));
    await ended(jobId, 'failed');
    expect(consumer.deliveries).toMatchObject([{ jobId, crashes: 12 }]);
    expect(world.abandoned).toEqual([]);
  });

  it('a job that BullMQ abandoned for another reason becomes a dead letter through the consumer', async () => {
    const jobId = await tampered({ defa: 'child 7 failed' });
    const consumer = await work(scripted());
    await ended(jobId, 'failed');
    expect((await world.space.plain.getJob(jobId))?.failedReason).toBe(
      'internal_error: the queue gave the job up: child 7 failed',
    );
    expect(world.abandoned).toEqual([`${jobId}: child 7 failed`]);
    expect(consumer.deliveries).toEqual([]);
  });

  it('a worker takes jobs from a Redis that lost all its data', async () => {
    const consumer = await work(scripted());
    await world.add('game-1');
    await consumer.delivered(1);
    await world.space.plain.obliterate({ force: true });
    await world.add('game-2');
    await world.untilCompleted(1, { withinMs: 20_000 });
    expect(consumer.deliveries).toHaveLength(2);
  }, 30_000);

  it('a queue store opens only when Redis answers: a deadline and a signal bound the wait', async () => {
    await work(scripted());
    await world.store.proxy.cut();
    const url = `redis://127.0.0.1:${world.store.proxy.port}`;
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
    await world.store.proxy.restore();
    expect((await opening).kind).toBe('redis');
    commands.disconnect();
    blocking.disconnect();
  }, 40_000);
});
