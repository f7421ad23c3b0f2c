import { describe, expect, it } from 'vitest';
import {
  completed,
  deadLetter,
  historyOf,
  retryAfter,
  type ScriptedConsumer,
  scripted,
  success,
} from '../../support/queue/queue-scripts.js';
import { type QueueSpace, STORE_KINDS } from '../../support/queue/queue-stores.js';
import { requestFor, useQueueWorld } from '../../support/queue/queue-world.js';
import { resultToJson } from '../../../src/domain/result.js';

const JOB = 'cleanup_container';
const data = requestFor;

describe.each(STORE_KINDS)('a cleanup worker on %s', (kind) => {
  const world = useQueueWorld(kind);
  const work = async (consumer: ScriptedConsumer): Promise<ScriptedConsumer> => {
    await world.startCleanupWorker(consumer);
    return consumer;
  };
  const ended = async (id = '') => {
    await world.ended(id);
    const job = await world.space.plain.getJob(id);
    if (job === undefined) throw new Error('the job is gone');
    return { job, state: await job.getState() };
  };

  it('a completed job keeps the result as JSON', async () => {
    const consumer = await work(scripted(({ payload }) => completed((payload as { gameId: string }).gameId)));
    const added = await world.space.plain.add(JOB, data('game-1'));
    const { job, state } = await ended(added.id);
    expect(state).toBe('completed');
    expect(job.returnvalue).toEqual(resultToJson(success('game-1')));
    expect(consumer.deliveries).toEqual([
      { jobId: added.id, jobName: JOB, payload: data('game-1'), run: 1, crashes: 0, history: 0 },
    ]);
  });

  it('a retried job runs again with its history after its delay, also when the delay has fractions', async () => {
    const startedMs: number[] = [];
    const history = historyOf(1);
    const consumer = await work(
      scripted(({ run }) => {
        startedMs.push(performance.now());
        return run < 3 ? retryAfter(200.7, history) : completed();
      }),
    );
    const { state } = await ended((await world.space.plain.add(JOB, data('game-1'))).id);
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

  it('a dead letter keeps the reason and the history that the consumer gave', async () => {
    const history = historyOf(3);
    await work(scripted(() => deadLetter('conflict: the lease is held by another operation', history)));
    const { job, state } = await ended((await world.space.plain.add(JOB, data('game-1'), { attempts: 5 })).id);
    expect(state).toBe('failed');
    expect(job.failedReason).toBe('conflict: the lease is held by another operation');
    expect(job.progress).toEqual(history);
    expect(world.abandoned).toEqual([]);
  });

  it('texts with NUL and lone surrogates are cleaned and stored, in every field', async () => {
    const dirty = 'raw \0 engine \uD800 text';
    await work(
      scripted(({ run, payload }) => {
        const { gameId } = payload as { gameId: string };
        if (run === 1) return retryAfter(0, historyOf(1, dirty));
        if (gameId === 'dead') return deadLetter(`internal_error: ${dirty}`, historyOf(2, dirty));
        return { action: 'complete', result: { ...success(gameId), errorMessage: dirty } };
      }),
    );
    const dead = await ended((await world.space.plain.add(JOB, data('dead'))).id);
    const done = await ended((await world.space.plain.add(JOB, data('done'))).id);
    expect(dead.job.failedReason).toBe('internal_error: raw  engine \uFFFD text');
    expect(done.job.returnvalue).toMatchObject({ errorMessage: 'raw  engine \uFFFD text' });
    expect(done.job.progress).toMatchObject({ attempts: [{ message: 'raw  engine \uFFFD text' }] });
  });

  it('a job whose consumer throws runs again, also when the message has a NUL', async () => {
    const consumer = await work(
      scripted(({ run }) => {
        if (run === 1) throw new Error('a bug \0 \uDC00');
        return completed();
      }),
    );
    const { state } = await ended((await world.space.plain.add(JOB, data('game-1'), { attempts: 1 })).id);
    expect(state).toBe('completed');
    expect(consumer.deliveries).toHaveLength(2);
    expect(world.space.report.of('fault').join()).toContain('could not be completed');
  });

  const hostile = {
    'one attempt, and removal when it ends': { attempts: 1, removeOnFail: true, removeOnComplete: true },
    'an unknown back-off': { attempts: 3, backoff: { type: 'moon phase', delay: 5 } },
    'a priority': { priority: 7 },
    'last in, first out': { lifo: true },
    'a delay': { delay: 100 },
    'an invalid trace context': { telemetry: { metadata: 'not json' } },
    'a limit on stack traces and logs': { stackTraceLimit: 0, keepLogs: 0 },
    'an id of its own': { jobId: 'my-own-id' },
    'a size limit': { sizeLimit: 100_000 },
    'a scheduler it does not belong to': { repeatJobKey: 'no-such-scheduler' },
    'an old scheduler it does not belong to': { repeatJobKey: 'a:b:c:d:e' },
    'a time in the past': { timestamp: 5, delay: -5 },
  };

  it.each(Object.entries(hostile))(
    'the worker decides on retries and on keeping a job although the producer sets %s',
    async (_what, options) => {
      const consumer = await work(
        scripted(({ payload, run }) => {
          const { gameId } = payload as { gameId: string };
          if (run < 3) return retryAfter(10);
          return gameId === 'dead' ? deadLetter('not_found: no record') : completed(gameId);
        }),
      );
      const done = await world.space.plain.add(JOB, data('done'), options);
      expect(await ended(done.id)).toMatchObject({ state: 'completed' });
      const dead = await world.space.plain.add(JOB, data('dead'), {
        ...options,
        ...('jobId' in options && { jobId: 'other' }),
      });
      expect(await ended(dead.id)).toMatchObject({ state: 'failed', job: { failedReason: 'not_found: no record' } });
      expect(consumer.deliveries.map(({ run }) => run)).toEqual([1, 2, 3, 1, 2, 3]);
    },
  );

  it('payloads and job names of any kind reach the consumer', async () => {
    const consumer = await work(scripted(() => deadLetter('invalid_request: bad payload')));
    const payloads = [null, 17, 'text', [], {}, { gameId: { deep: [1] } }, { gameId: 'x'.repeat(1_000_000) }];
    for (const [index, payload] of payloads.entries()) {
      const { state } = await ended((await world.space.plain.add(`other-${index}`, payload)).id);
      expect(state).toBe('failed');
    }
    expect(consumer.deliveries.map(({ jobName }) => jobName)).toEqual(
      payloads.map((_payload, index) => `other-${index}`),
    );
    // The first is left out: BullMQ itself turns null into an empty object.
    expect(consumer.deliveries.map(({ payload }) => payload).slice(1)).toEqual(payloads.slice(1));
  });

  it('a starting worker puts back jobs that another program failed, and leaves dead letters alone', async () => {
    const first = await world.startCleanupWorker(scripted(() => deadLetter('not_found: no record')));
    const letter = await world.space.plain.add(JOB, data('letter'));
    await ended(letter.id);
    await first.stop({ graceMs: 1_000 });
    const strayId = await failInAnotherWorker(world.space, 'deadlock detected');
    const consumer = await work(scripted(({ payload }) => completed((payload as { gameId: string }).gameId)));
    await world.ended(strayId);
    expect(await world.completedCount()).toBe(1);
    expect(consumer.deliveries.map(({ payload }) => payload)).toEqual([data('stray')]);
    expect(await letter.getState()).toBe('failed');
    expect(world.space.report.of('repaired')).toHaveLength(1);
  });
});

/** A worker of another program fails a job with a reason of its own. */
async function failInAnotherWorker(space: QueueSpace, reason: string): Promise<string> {
  const other = await space.backend.worker(
    async () => {
      throw new Error(reason);
    },
    { concurrency: 1, lockMs: 5_000, stallCheckMs: 1_000 },
    { onError: () => undefined },
  );
  const failed = new Promise((resolve) => other.once('failed', resolve));
  const running = other.run();
  const { id = '' } = await space.plain.add(JOB, data('stray'), { attempts: 1 });
  await failed;
  await other.close();
  await running;
  return id;
}
