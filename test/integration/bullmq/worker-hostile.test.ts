import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/async/clock.js';
import { createJobConsumer } from '../../../src/jobs/consume.js';
import type { JobConsumer } from '../../../src/jobs/delivery.js';
import { completed, scripted } from '../../support/queue/queue-scripts.js';
import { STORE_KINDS } from '../../support/queue/queue-stores.js';
import { requestFor, useQueueWorld } from '../../support/queue/queue-world.js';
import { createWorld } from '../../support/cleanup-world.js';
import { row } from '../../faults/codes/catalogue/rows.js';

const JOB = 'cleanup_container';
const request = requestFor('game-1');

describe.each(STORE_KINDS)('jobs that could run without end on %s', (kind) => {
  const world = useQueueWorld(kind);
  const work = (consumer: JobConsumer) => world.startCleanupWorker(consumer, { lockMs: 1_500, stallCheckMs: 300 });
  const storeData = async (id: string, json: string): Promise<void> => {
    if (kind === 'postgres') {
      await world.store.sql(`UPDATE ${world.space.env['QUEUE_SPACE']}.job SET data = $2::jsonb WHERE id = $1`, [
        id,
        json,
      ]);
      return;
    }
    const client = await world.space.plain.getBackend().client;
    await client.hset(`${world.space.plain.qualifiedName}:${id}`, { data: json });
  };
  const ended = async (id = '') => {
    await world.ended(id, { withinMs: 20_000 });
    const job = await world.space.plain.getJob(id);
    return { state: await world.stateOf(id), reason: job?.failedReason };
  };

  it.each([
    { pattern: 'no cron at all' },
    { pattern: '0 * * * *', tz: 'Nowhere/City' },
    { every: 1_000, immediately: true, startDate: 5 },
  ])('a job completes although its schedule is unusable: %j', async (repeat) => {
    await work(scripted());
    const opts = { repeat, repeatJobKey: 'no-such-scheduler' };
    const [job] = await world.space.plain.addBulk([{ name: JOB, data: request, opts }]);
    expect(await ended(job?.id)).toMatchObject({ state: 'completed' });
    expect(world.space.report.of('fault').length).toBeLessThanOrEqual(3);
  });

  it('a job that got a child while it ran becomes a dead letter', async () => {
    const { id = '' } = await world.space.plain.add(JOB, request);
    const parent = { id, queue: world.space.plain.qualifiedName };
    const addChild = async () => void (await world.space.plain.add('child', {}, { delay: 3_600_000, parent }));
    await work(
      scripted(async ({ run }) => {
        if (run === 1) await addChild();
        return completed();
      }),
    );
    const { state, reason } = await ended(id);
    expect(state).toBe('failed');
    expect(reason).toMatch(/^internal_error: .*pending dependencies/);
  });

  it(`a job is refused: ${row('payload-nested-too-deep')}`, async () => {
    const cleanups = createWorld();
    const job = await world.space.plain.add(JOB, request);
    const levels = kind === 'redis' ? 100_000 : 5_000;
    await storeData(job.id ?? '', `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`);
    const limits = { conflictMaxAttempts: 3, conflictMaxDelayMs: 1_000, retryMaxAgeMs: 86_400_000 };
    const deps = { cleanup: cleanups.service, clock: systemClock, random: () => 0, traceId: () => '' };
    await work(createJobConsumer(deps, limits));
    expect(await ended(job.id)).toMatchObject({ state: 'failed', reason: expect.stringMatching(/^invalid_request: /) });
    expect(cleanups.rows).toMatchObject([{ errorCode: 'invalid_request' }]);
  });
});
