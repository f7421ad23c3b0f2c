import { beforeEach, describe, expect, it } from 'vitest';
import { type CleanupProducer, createCleanupQueue } from '../../../src/adapters/bullmq/producer/cleanup-queue.js';
import { type Clock, systemClock } from '../../../src/async/clock.js';
import { UnavailableError } from '../../../src/domain/errors.js';
import { createManualClock } from '../../support/manual-clock.js';
import { PATIENT_CLOCK, STORE_KINDS } from '../../support/queue/queue-stores.js';
import { useQueueWorld } from '../../support/queue/queue-world.js';

const request = (gameId: string, opSource = 'lobby_stream', sourceRef = 'ref') => ({ gameId, opSource, sourceRef });
describe.each(STORE_KINDS)('the cleanup queue on %s', (kind) => {
  const world = useQueueWorld(kind, { connectionTimeoutMillis: 30_000 });
  let queue: CleanupProducer;

  const producer = (clock: Clock = systemClock): CleanupProducer => {
    const created = createCleanupQueue({ ...world.deps(), clock });
    world.atEnd(created.close);
    return created;
  };
  const stored = async (jobId: string) => {
    const job = await world.space.plain.getJob(jobId);
    if (job === undefined) throw new Error('the job is gone');
    return job;
  };

  beforeEach(() => {
    queue = producer();
  });

  it('the queue stores a job that any BullMQ client can read, kept when it fails and, up to a bound, when it completes', async () => {
    const expectedContainerId = 'a'.repeat(64);
    const [answer] = await queue.enqueue([{ ...request('game-1'), expectedContainerId }]);
    expect(answer).toEqual({ jobId: expect.any(String), gameId: 'game-1', state: 'waiting', coalesced: false });
    const job = await stored(answer?.jobId ?? '');
    expect(job.name).toBe('cleanup_container');
    expect(job.data).toEqual({ ...request('game-1'), expectedContainerId });
    const bound = kind === 'redis' ? { count: 10_000, age: 86_400 } : { age: 86_400 };
    expect(job.opts).toMatchObject({ removeOnFail: false, removeOnComplete: bound });
  });

  it('the queue makes one job of fifty requests for one game that race through two producers', async () => {
    const racers = [producer(PATIENT_CLOCK), producer(PATIENT_CLOCK)] as const;
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => racers[index % 2 === 0 ? 0 : 1].enqueue([request('game-1')])),
    );
    const flat = answers.flat();
    expect(new Set(flat.map(({ jobId }) => jobId)).size).toBe(1);
    expect(flat.filter(({ coalesced }) => !coalesced)).toHaveLength(1);
    expect(await world.space.plain.getWaitingCount()).toBe(1);
  });

  it('the queue adds three thousand games, each once', async () => {
    const patient = producer(PATIENT_CLOCK);
    const answers = await patient.enqueue(Array.from({ length: 3_000 }, (_, index) => request(`game-${index}`)));
    expect(answers).toHaveLength(3_000);
    expect(answers.every(({ gameId, coalesced }, index) => gameId === `game-${index}` && !coalesced)).toBe(true);
    expect(await patient.counts()).toEqual({ waiting: 3_000, delayed: 0, active: 0, completed: 0, failed: 0 });
  });

  it('the queue refuses a request after it has been closed without waiting for any time limit', async () => {
    // Its timers never fire, so an answer that comes has waited for none of them.
    const closed = producer(createManualClock());
    await closed.enqueue([request('game-1')]);
    await closed.close();
    await closed.close();
    await expect(closed.enqueue([request('game-2')])).rejects.toBeInstanceOf(UnavailableError);
    await expect(closed.counts()).rejects.toBeInstanceOf(UnavailableError);
  });

  it('a queue that was never used can be closed', async () => {
    await expect(producer().close()).resolves.toBeUndefined();
  });
});
