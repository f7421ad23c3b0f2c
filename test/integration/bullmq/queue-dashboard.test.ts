/** The dashboard's own requests, as its page makes them, on both queue stores. */
import { fastify, type FastifyInstance } from 'fastify';
import { beforeEach, describe, expect, it } from 'vitest';
import { createQueueDashboard } from '../../../src/adapters/bullmq/dashboard/queue-dashboard.js';
import { createDeadLetters } from '../../../src/adapters/bullmq/dead-letters/dead-letters.js';
import { UnavailableError } from '../../../src/domain/errors.js';
import { type QueueSpace, STORE_KINDS } from '../../support/queue/queue-stores.js';
import { useQueueWorld } from '../../support/queue/queue-world.js';
import { deadLetter, scripted } from '../../support/queue/queue-scripts.js';
import { eventually } from '../../support/eventually.js';

const QUEUES = '/admin/queues/api/queues';
const CLEANUPS = `${QUEUES}/runtime-cleanup`;

interface ShownQueue {
  readonly name: string;
  readonly readOnlyMode: boolean;
  readonly counts: Readonly<Record<string, number>>;
  readonly jobs: readonly { readonly id: string; readonly name: string; readonly data: unknown }[];
}

describe.each(STORE_KINDS)('the dashboard of the queues on %s', (kind) => {
  const world = useQueueWorld(kind);
  let letters: ReturnType<typeof createDeadLetters>;
  let board: ReturnType<typeof createQueueDashboard>;
  let app: FastifyInstance;

  beforeEach(async () => {
    letters = createDeadLetters(world.deps());
    world.atEnd(letters.close);
    await serve({ ...world.deps(), deadLetters: letters });
    await untilReached();
  });

  async function serve(deps: Parameters<typeof createQueueDashboard>[0]): Promise<void> {
    board = createQueueDashboard(deps);
    app = fastify();
    world.atEnd(app.close.bind(app));
    world.atEnd(board.close);
    await app.register(board.plugin, { prefix: '/admin/queues' });
  }

  const ask = (method: 'GET' | 'PUT', url: string) => app.inject({ method, url });
  const statusOf = async (method: 'GET' | 'PUT', url: string): Promise<number> => (await ask(method, url)).statusCode;
  const untilReached = (): Promise<void> =>
    eventually(async () => {
      const status = await statusOf('GET', QUEUES);
      if (status !== 200) throw new Error(`the dashboard answers ${status}`);
    });
  const stateOf = (jobId: string): Promise<string> => world.space.plain.getJobState(jobId);

  async function queues(query = ''): Promise<readonly ShownQueue[]> {
    return (await ask('GET', `${QUEUES}${query}`)).json<{ queues: ShownQueue[] }>().queues;
  }

  const add = async (gameId: string): Promise<string> => {
    const options = { deduplication: { id: `game:${gameId}` } };
    return (await world.space.plain.add('cleanup_container', { gameId, opSource: 'gm_rest' }, options)).id ?? '';
  };

  /** A job that a worker has failed with this reason. */
  async function dead(gameId: string, reason: string): Promise<string> {
    const jobId = await add(gameId);
    const worker = await world.startCleanupWorker(scripted(() => deadLetter(reason)));
    await world.ended(jobId);
    await worker.stop({ graceMs: 0 });
    return jobId;
  }

  it('the dashboard shows both queues, and the game, the reason and the data of a job', async () => {
    const jobId = await dead('arena\u202E-1', 'conflict: it runs');
    const [cleanups, sweeps] = await queues('?activeQueue=runtime-cleanup&status=failed&page=1&jobsPerPage=10');
    expect(cleanups).toMatchObject({ name: 'runtime-cleanup', readOnlyMode: false, counts: { failed: 1 } });
    expect(cleanups?.jobs).toMatchObject([
      { id: jobId, name: 'arena\\u202e-1: conflict: it runs', data: { gameId: 'arena\u202E-1', opSource: 'gm_rest' } },
    ]);
    expect(sweeps).toMatchObject({ name: 'runtime-retention', readOnlyMode: true });
  });

  it('a long title is cut, but keeps a part of the reason', async () => {
    await dead('🎲'.repeat(128), `not_found: ${'there is none '.repeat(60)}`);
    const [shown] = (await queues('?activeQueue=runtime-cleanup&status=failed'))[0]?.jobs ?? [];
    expect(shown?.name).toMatch(/^(?:🎲){79}…: not_found: there is none .*…$/u);
    expect(Array.from(shown?.name ?? '')).toHaveLength(200);
  });

  it('the retry button replays a dead letter, and the job holds its game’s key again', async () => {
    const jobId = await dead('arena-1', 'conflict: it runs');
    expect(await statusOf('PUT', `${CLEANUPS}/${jobId}/retry`)).toBe(204);
    expect(await stateOf(jobId)).toBe('waiting');
    expect(await add('arena-1')).toBe(jobId);
  });

  it('the retry-all button replays all dead letters', async () => {
    const jobIds = [await dead('arena-1', 'conflict: it runs'), await dead('arena-2', 'conflict: it runs')];
    expect((await ask('PUT', `${CLEANUPS}/retry/failed`)).json()).toEqual({ retried: 2, skipped: 0 });
    expect(await Promise.all(jobIds.map(stateOf))).toEqual(['waiting', 'waiting']);
  });

  it('the remove button purges a dead letter, and no other job', async () => {
    const jobId = await dead('arena-1', 'not_found: there is none');
    expect(await statusOf('PUT', `${CLEANUPS}/${jobId}/clean`)).toBe(204);
    expect(await stateOf(jobId)).toBe('unknown');
    const live = await add('arena-2');
    const refused = await ask('PUT', `${CLEANUPS}/${live}/clean`);
    expect(refused.statusCode).toBe(409);
    expect(refused.json()).toMatchObject({ message: `job ${live} is waiting; only a dead letter can be purged` });
    expect(await stateOf(live)).toBe('waiting');
    expect(await statusOf('PUT', `${CLEANUPS}/${jobId}/clean`)).toBe(404);
  });

  it('the queue of the sweeps is read-only', async () => {
    for (const deed of ['empty', 'pause', 'job-schedulers/auto-ttl/remove', '1/clean', '1/retry']) {
      expect(await statusOf('PUT', `${QUEUES}/runtime-retention/${deed}`)).toBe(405);
    }
  });

  it.each(['cut', 'freeze'] as const)(
    'the dashboard answers 503 at once when the store is unavailable (%s), and works again after the outage',
    async (how) => {
      await world.store.proxy[how]();
      const startedMs = performance.now();
      const refused = await ask('GET', QUEUES);
      expect(performance.now() - startedMs).toBeLessThan(5_000);
      expect(refused.statusCode).toBe(503);
      expect(refused.json()).toMatchObject({ message: expect.stringContaining("the queue's store does not answer") });
      expect(await statusOf('GET', '/admin/queues')).toBe(200);
      world.store.proxy.thaw();
      await world.store.proxy.restore();
      await untilReached();
    },
  );

  it('the dashboard serves its page before the store can be reached', async () => {
    await app.close();
    await board.close();
    let isUnavailable = true;
    const queue: QueueSpace['backend']['queue'] = (options) =>
      isUnavailable ? Promise.reject(new UnavailableError('queue', 'no store')) : world.space.backend.queue(options);
    await serve({ ...world.deps(), backend: { queue }, deadLetters: letters });
    expect(await statusOf('GET', QUEUES)).toBe(503);
    expect(await statusOf('GET', '/admin/queues')).toBe(200);
    isUnavailable = false;
    await eventually(async () => expect(await queues()).toHaveLength(2));
  });
});
