import { beforeEach, describe, expect, it } from 'vitest';
import { createDeadLetters } from '../../../src/adapters/bullmq/dead-letters/dead-letters.js';
import { createJobLookup } from '../../../src/adapters/bullmq/lookup/job-lookup.js';
import { addFailedJobs, onRedis } from '../../support/queue/failed-jobs.js';
import { useQueueWorld } from '../../support/queue/queue-world.js';

const cleanup = (gameId: string) => ({ gameId, opSource: 'gm_rest' });

// PostgreSQL's columns refuse such content.
describe('unreadable dead letters on Redis', () => {
  const world = useQueueWorld('redis');
  let letters: ReturnType<typeof createDeadLetters>;

  beforeEach(() => {
    letters = createDeadLetters(world.deps());
    world.atEnd(letters.close);
  });

  it('dead letters show fields that are not JSON as text', async () => {
    const { store, space } = world;
    const [id = ''] = await addFailedJobs(store, space, [{ data: cleanup('g') }, { data: cleanup('h') }]);
    const broken = { data: '{"gameId": ', progress: '{{', timestamp: 'yesterday' };
    await onRedis(space, (redis) => redis.hset(`${space.plain.qualifiedName}:${id}`, broken));
    expect((await letters.list({ limit: 10 })).items.map(({ gameId }) => gameId)).toEqual(['h', '']);
    const found = { gameId: '', enqueuedAt: new Date(0) };
    expect(await letters.find(id)).toMatchObject({ ...found, payload: '{"gameId": ' });
    const lookup = createJobLookup(world.deps());
    expect(await lookup.find(id)).toMatchObject({ ...found, state: 'failed' });
    await lookup.close();
    expect(await letters.replay(id)).toEqual({ status: 'replayed' });
  });

  it('dead letters list entries that are not jobs, and remove them when they are purged', async () => {
    const { store, space } = world;
    await addFailedJobs(store, space, [{ data: cleanup('g'), failedAtMs: 1_000 }]);
    await space.plain.add('cleanup_container', cleanup('waits'));
    // `wait` is the key of a list, and infinity is not a time.
    const strangers = [4_000, 'nobody', 4_000, 'wait', '+inf', 'for-ever'];
    await onRedis(space, (redis) => redis.zadd(`${space.plain.qualifiedName}:failed`, ...strangers));
    const listed: string[] = [];
    for (let after: string | undefined; ;) {
      const { items, next } = await letters.list({ limit: 1, after });
      listed.push(...items.map(({ jobId }) => jobId));
      if (next === null) break;
      after = next;
    }
    expect(listed).toEqual(['for-ever', 'wait', 'nobody', '1']);
    expect(await letters.countByCode()).toEqual({ internal_error: 3, not_found: 1 });
    expect(await letters.replay('nobody')).toEqual({ status: 'live', state: 'failed' });
    expect(await letters.purge('nobody')).toEqual({ status: 'purged' });
    expect(await letters.purge('wait')).toEqual({ status: 'purged' });
    expect(await space.plain.getWaitingCount()).toBe(1);
  });
});
