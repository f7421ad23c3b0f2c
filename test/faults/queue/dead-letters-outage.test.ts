import { beforeEach, describe, expect, it } from 'vitest';
import { createDeadLetters } from '../../../src/adapters/bullmq/dead-letters/dead-letters.js';
import { createJobLookup } from '../../../src/adapters/bullmq/lookup/job-lookup.js';
import { systemClock } from '../../../src/async/clock.js';
import { UnavailableError } from '../../../src/domain/errors.js';
import { addFailedJobs } from '../../support/queue/failed-jobs.js';
import { STORE_KINDS } from '../../support/queue/queue-stores.js';
import { useQueueWorld } from '../../support/queue/queue-world.js';
import { eventually } from '../../support/eventually.js';

const neverAborted = new AbortController().signal;
const DEAD_LETTERS = 40;

describe.each(STORE_KINDS)('dead letters in an outage of %s', (kind) => {
  const world = useQueueWorld(kind);
  const { interrupt, restore } = world;
  let ids: string[];
  let letters: ReturnType<typeof createDeadLetters>;
  let lookup: ReturnType<typeof createJobLookup>;

  const inQueue = () => world.space.plain.getJobCounts('failed', 'waiting');

  beforeEach(async () => {
    const deps = { backend: world.space.backend, clock: systemClock, report: world.space.report };
    letters = createDeadLetters(deps);
    lookup = createJobLookup(deps);
    world.atEnd(() => Promise.all([letters.close(), lookup.close()]));
    ids = await addFailedJobs(
      world.store,
      world.space,
      Array.from({ length: DEAD_LETTERS }, (_, index) => ({ data: { gameId: `g-${index}`, opSource: 'gm_rest' } })),
    );
  });

  it.each(['cut', 'frozen'] as const)(
    'every request about one dead letter is refused within about a second while the store is %s, and answered afterwards',
    async (how) => {
      const [id = ''] = ids;
      await Promise.all([letters.find(id), lookup.find(id), letters.purge('no-such-job')]);
      await interrupt(how);
      const requests = [letters.replay, letters.purge, letters.find, lookup.find];
      const startedMs = performance.now();
      const refusals = await Promise.allSettled(requests.map((ask) => ask(id)));
      expect(performance.now() - startedMs).toBeLessThan(3_000);
      expect(
        refusals.map((refusal) => refusal.status === 'rejected' && refusal.reason instanceof UnavailableError),
      ).toEqual(requests.map(() => true));
      await restore();
      await eventually(() => letters.find(ids[1] ?? ''), { withinMs: 20_000 });
      // It is unknown whether the first request was carried out; what matters is that it can be repeated.
      const again = await eventually(() => letters.replay(id), { withinMs: 20_000 });
      expect(['replayed', 'live', 'missing']).toContain(again.status);
      expect(await letters.purge(ids[1] ?? '')).toEqual({ status: 'purged' });
    },
    60_000,
  );

  it.each(['cut', 'frozen'] as const)(
    'lists and counts of dead letters are refused, not left hanging, while the store is %s',
    async (how) => {
      await letters.countByCode();
      await interrupt(how);
      const refusals = await Promise.allSettled([
        letters.list({ limit: 10 }),
        letters.countByCode(),
        letters.among('all'),
        letters.replayAll({}, { signal: neverAborted }),
      ]);
      expect(
        refusals.map((refusal) => refusal.status === 'rejected' && refusal.reason instanceof UnavailableError),
      ).toEqual(refusals.map(() => true));
      await restore();
      const counts = await eventually(() => letters.countByCode(), { withinMs: 20_000 });
      expect(counts).toEqual({ not_found: DEAD_LETTERS });
    },
    60_000,
  );

  it('an interrupted replay of all dead letters rejects, and a repetition replays the rest', async () => {
    const replayed = letters.replayAll(
      {},
      {
        signal: neverAborted,
        perSecond: 10,
        onProgress: ({ done }) => {
          if (done === 10) void world.store.proxy.cut();
        },
      },
    );
    await expect(replayed).rejects.toBeInstanceOf(UnavailableError);
    const { failed = 0, waiting = 0 } = await inQueue();
    expect(failed + waiting).toBe(DEAD_LETTERS);
    expect(failed).toBeGreaterThan(0);
    await restore();
    const rest = await eventually(() => letters.replayAll({}, { signal: neverAborted }), { withinMs: 20_000 });
    expect(rest).toEqual({ done: failed, skipped: 0 });
    expect(await inQueue()).toMatchObject({ failed: 0, waiting: DEAD_LETTERS });
  }, 60_000);

  it('a stopped replay of all dead letters leaves the other ones unchanged', async () => {
    const stop = new AbortController();
    const stopped = letters.replayAll(
      {},
      {
        signal: stop.signal,
        perSecond: 10,
        onProgress: ({ done, total }) => {
          expect(total).toBe(DEAD_LETTERS);
          if (done === 10) stop.abort(new Error('enough'));
        },
      },
    );
    await expect(stopped).rejects.toThrow('enough');
    expect(await inQueue()).toMatchObject({ failed: DEAD_LETTERS - 10, waiting: 10 });
  });

  it('a dead-letter reader created during the outage answers once it is over', async () => {
    const early = createDeadLetters({ backend: world.space.backend, clock: systemClock, report: world.space.report });
    await interrupt('cut');
    await expect(early.replay(ids[0] ?? '')).rejects.toBeInstanceOf(UnavailableError);
    await restore();
    expect(await eventually(() => early.replay(ids[0] ?? ''), { withinMs: 20_000 })).toEqual({ status: 'replayed' });
    await early.close();
    await expect(early.replay(ids[1] ?? '')).rejects.toBeInstanceOf(UnavailableError);
  }, 60_000);
});
