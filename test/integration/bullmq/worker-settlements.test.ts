import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createCleanupWorker } from '../../../src/adapters/bullmq/worker/cleanup-worker.js';
import type { QueueWorker } from '../../../src/adapters/bullmq/worker/queue-worker.js';
import { systemClock } from '../../../src/async/clock.js';
import { success, abandonedByQueue } from '../../support/queue/queue-scripts.js';
import {
  completed,
  deadLetter,
  historyOf,
  retryAfter,
  type ScriptedConsumer,
  scripted,
} from '../../support/queue/queue-scripts.js';
import { type QueueSpace, startStore, STORE_KINDS, type TestStore } from '../../support/queue/queue-stores.js';
import { resultToJson } from '../../../src/domain/result.js';
import { eventually } from '../../support/eventually.js';

const JOB = 'cleanup_container';
const data = (gameId: string) => ({ gameId, opSource: 'lobby_stream' });

describe.each(STORE_KINDS)('a cleanup worker on %s', (kind) => {
  let store: TestStore;
  let space: QueueSpace;
  let worker: QueueWorker;
  const abandoned: string[] = [];

  const work = async (consumer: ScriptedConsumer): Promise<ScriptedConsumer> => {
    worker = createCleanupWorker({
      backend: space.backend,
      consumer,
      clock: systemClock,
      report: space.report,
      abandoned: (delivery, reason) => {
        abandoned.push(`${delivery.jobId}: ${reason}`);
        return abandonedByQueue(delivery, reason);
      },
    });
    await worker.start();
    return consumer;
  };
  const ended = (id: string | undefined) =>
    eventually(async () => {
      const job = await space.plain.getJob(id ?? '');
      expect(job?.finishedOn).toBeTypeOf('number');
      if (job === undefined) throw new Error('the job is gone');
      return { job, state: await job.getState() };
    });

  beforeAll(async () => {
    store = await startStore(kind);
  });
  afterAll(() => store.stop());
  beforeEach(async () => {
    space = await store.space();
  });
  afterEach(async () => {
    await worker.stop({ graceMs: 0 });
    await space.close();
  });

  it('completes a job with the result as JSON', async () => {
    const consumer = await work(scripted(({ payload }) => completed((payload as { gameId: string }).gameId)));
    const added = await space.plain.add(JOB, data('game-1'));
    const { job, state } = await ended(added.id);
    expect(state).toBe('completed');
    expect(job.returnvalue).toEqual(resultToJson(success('game-1')));
    expect(consumer.deliveries).toEqual([
      { jobId: added.id, jobName: JOB, payload: data('game-1'), run: 1, crashes: 0, history: 0 },
    ]);
  });

  it('runs a job again after the delay it was told, fractions or not, and hands it its history back', async () => {
    const startedMs: number[] = [];
    const history = historyOf(1);
    const consumer = await work(
      scripted(({ run }) => {
        startedMs.push(performance.now());
        return run < 3 ? retryAfter(200.7, history) : completed();
      }),
    );
    const { state } = await ended((await space.plain.add(JOB, data('game-1'))).id);
    expect(state).toBe('completed');
    expect(consumer.deliveries.map(({ run, history }) => ({ run, history }))).toEqual([
      { run: 1, history: 0 },
      { run: 2, history },
      { run: 3, history },
    ]);
    const [first = 0, second = 0, third = 0] = startedMs;
    expect(second - first).toBeGreaterThanOrEqual(190);
    expect(third - second).toBeGreaterThanOrEqual(190);
  });

  it('makes a dead letter with the reason as it was given, kept with its history', async () => {
    const history = historyOf(3);
    await work(scripted(() => deadLetter('conflict: the lease is held by somebody else', history)));
    const { job, state } = await ended((await space.plain.add(JOB, data('game-1'), { attempts: 5 })).id);
    expect(state).toBe('failed');
    expect(job.failedReason).toBe('conflict: the lease is held by somebody else');
    expect(job.progress).toEqual(history);
    expect(abandoned).toEqual([]);
  });

  it('stores texts with NUL and lone surrogates, wherever they come from', async () => {
    const dirty = 'raw \0 engine \uD800 text';
    await work(
      scripted(({ run, payload }) => {
        const { gameId } = payload as { gameId: string };
        if (run === 1) return retryAfter(0, historyOf(1, dirty));
        if (gameId === 'dead') return deadLetter(`internal_error: ${dirty}`, historyOf(2, dirty));
        return { action: 'complete', result: { ...success(gameId), errorMessage: dirty } };
      }),
    );
    const dead = await ended((await space.plain.add(JOB, data('dead'))).id);
    const done = await ended((await space.plain.add(JOB, data('done'))).id);
    expect(dead.job.failedReason).toBe('internal_error: raw  engine \uFFFD text');
    expect(done.job.returnvalue).toMatchObject({ errorMessage: 'raw  engine \uFFFD text' });
    expect(done.job.progress).toMatchObject({ attempts: [{ message: 'raw  engine \uFFFD text' }] });
  });

  it('runs a job again when the consumer breaks its word and throws, NUL and all', async () => {
    const consumer = await work(
      scripted(({ run }) => {
        if (run === 1) throw new Error('a bug \0 \uDC00');
        return completed();
      }),
    );
    const { state } = await ended((await space.plain.add(JOB, data('game-1'), { attempts: 1 })).id);
    expect(state).toBe('completed');
    expect(consumer.deliveries).toHaveLength(2);
    expect(space.report.of('fault').join()).toContain('could not be completed');
  });

  const hostile = {
    'one attempt and no trace of it kept': { attempts: 1, removeOnFail: true, removeOnComplete: true },
    'a back-off nobody knows': { attempts: 3, backoff: { type: 'moon phase', delay: 5 } },
    'a priority': { priority: 7 },
    'last in, first out': { lifo: true },
    'a delay': { delay: 100 },
    'a trace context that is none': { telemetry: { metadata: 'not json' } },
    'a limit on stack traces and logs': { stackTraceLimit: 0, keepLogs: 0 },
    'an id of its own': { jobId: 'my-own-id' },
    'a size limit': { sizeLimit: 100_000 },
    'a scheduler it does not belong to': { repeatJobKey: 'no-such-scheduler' },
    'an old scheduler it does not belong to': { repeatJobKey: 'a:b:c:d:e' },
    'a time in the past': { timestamp: 5, delay: -5 },
  };

  it.each(Object.entries(hostile))('is not ruled by a producer that sets %s', async (_what, options) => {
    const consumer = await work(
      scripted(({ payload, run }) => {
        const { gameId } = payload as { gameId: string };
        if (run < 3) return retryAfter(10);
        return gameId === 'dead' ? deadLetter('not_found: no record') : completed(gameId);
      }),
    );
    const done = await space.plain.add(JOB, data('done'), options);
    expect(await ended(done.id)).toMatchObject({ state: 'completed' });
    const dead = await space.plain.add(JOB, data('dead'), {
      ...options,
      ...('jobId' in options && { jobId: 'other' }),
    });
    expect(await ended(dead.id)).toMatchObject({ state: 'failed', job: { failedReason: 'not_found: no record' } });
    expect(consumer.deliveries.map(({ run }) => run)).toEqual([1, 2, 3, 1, 2, 3]);
  });

  it('hands on payloads and job names of any kind', async () => {
    const consumer = await work(scripted(() => deadLetter('invalid_request: bad payload')));
    const payloads = [null, 17, 'text', [], {}, { gameId: { deep: [1] } }, { gameId: 'x'.repeat(1_000_000) }];
    for (const [index, payload] of payloads.entries()) {
      const { state } = await ended((await space.plain.add(`other-${index}`, payload)).id);
      expect(state).toBe('failed');
    }
    expect(consumer.deliveries.map(({ jobName }) => jobName)).toEqual(
      payloads.map((_payload, index) => `other-${index}`),
    );
    // BullMQ itself turns no data into an empty object.
    expect(consumer.deliveries.map(({ payload }) => payload).slice(1)).toEqual(payloads.slice(1));
  });

  it('puts failed jobs back whose reason is none of ours, and leaves dead letters alone', async () => {
    await work(scripted(() => deadLetter('not_found: no record')));
    const letter = await space.plain.add(JOB, data('letter'));
    await ended(letter.id);
    await worker.stop({ graceMs: 1_000 });
    await failAsSomebodyElse(space, 'deadlock detected');
    const consumer = await work(scripted(({ payload }) => completed((payload as { gameId: string }).gameId)));
    await eventually(async () => expect(await space.plain.getCompletedCount()).toBe(1));
    expect(consumer.deliveries.map(({ payload }) => payload)).toEqual([data('stray')]);
    expect(await letter.getState()).toBe('failed');
    expect(space.report.of('repaired')).toHaveLength(1);
  });
});

/** A worker of another make fails a job with a reason of its own. */
async function failAsSomebodyElse(space: QueueSpace, reason: string): Promise<void> {
  const other = await space.backend.worker(
    async () => {
      throw new Error(reason);
    },
    { concurrency: 1, lockMs: 5_000, stallCheckMs: 1_000 },
    { onError: () => undefined },
  );
  const running = other.run();
  await space.plain.add(JOB, data('stray'), { attempts: 1 });
  await eventually(async () => expect(await space.plain.getFailedCount()).toBe(2));
  await other.close();
  await running;
}
