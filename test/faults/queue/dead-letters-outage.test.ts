import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createDeadLetters } from '../../../src/adapters/bullmq/dead-letters/dead-letters.js';
import { createJobLookup } from '../../../src/adapters/bullmq/lookup/job-lookup.js';
import { systemClock } from '../../../src/async/clock.js';
import { UnavailableError } from '../../../src/domain/errors.js';
import { addFailedJobs } from '../../support/queue/failed-jobs.js';
import { type QueueSpace, startStore, STORE_KINDS, type TestStore } from '../../support/queue/queue-stores.js';
import { eventually } from '../../support/eventually.js';

const calm = new AbortController().signal;
const BURIED = 40;

describe.each(STORE_KINDS)('dead letters when %s goes away', (kind) => {
  let store: TestStore;
  let space: QueueSpace;
  let ids: string[];
  let letters: ReturnType<typeof createDeadLetters>;
  let lookup: ReturnType<typeof createJobLookup>;

  const goAway = async (how: 'cut' | 'frozen') => {
    if (how === 'frozen') store.proxy.freeze();
    else await store.proxy.cut();
  };
  const comeBack = async () => {
    store.proxy.thaw();
    await store.proxy.restore();
  };
  const inQueue = () => space.plain.getJobCounts('failed', 'waiting');

  beforeAll(async () => {
    store = await startStore(kind);
  });
  afterAll(() => store.stop());
  beforeEach(async () => {
    space = await store.space();
    const deps = { backend: space.backend, clock: systemClock, report: space.report };
    letters = createDeadLetters(deps);
    lookup = createJobLookup(deps);
    ids = await addFailedJobs(
      store,
      space,
      Array.from({ length: BURIED }, (_, index) => ({ data: { gameId: `g-${index}`, opSource: 'gm_rest' } })),
    );
  });
  afterEach(async () => {
    await comeBack();
    await Promise.all([letters.close(), lookup.close()]);
    await space.close();
  });

  it.each(['cut', 'frozen'] as const)(
    'every question about one job is refused within about a second while it is %s, and answered afterwards',
    async (how) => {
      const [id = ''] = ids;
      await Promise.all([letters.find(id), lookup.find(id), letters.purge('nobody')]);
      await goAway(how);
      const questions = [letters.replay, letters.purge, letters.find, lookup.find];
      const startedMs = performance.now();
      const refusals = await Promise.allSettled(questions.map((ask) => ask(id)));
      expect(performance.now() - startedMs).toBeLessThan(3_000);
      expect(refusals.map((told) => told.status === 'rejected' && told.reason instanceof UnavailableError)).toEqual(
        questions.map(() => true),
      );
      await comeBack();
      await eventually(() => letters.find(ids[1] ?? ''), { withinMs: 20_000 });
      // Whether it was carried out nobody knows; that it can be asked again is what matters.
      const again = await eventually(() => letters.replay(id), { withinMs: 20_000 });
      expect(['replayed', 'live', 'missing']).toContain(again.status);
      expect(await letters.purge(ids[1] ?? '')).toEqual({ status: 'purged' });
    },
    60_000,
  );

  it.each(['cut', 'frozen'] as const)(
    'lists and counts are refused, not left hanging, while it is %s',
    async (how) => {
      await letters.countByCode();
      await goAway(how);
      const refusals = await Promise.allSettled([
        letters.list({ limit: 10 }),
        letters.countByCode(),
        letters.among('all'),
        letters.replayAll({}, { signal: calm }),
      ]);
      expect(refusals.map((told) => told.status === 'rejected' && told.reason instanceof UnavailableError)).toEqual(
        refusals.map(() => true),
      );
      await comeBack();
      const counts = await eventually(() => letters.countByCode(), { withinMs: 20_000 });
      expect(counts).toEqual({ not_found: BURIED });
    },
    60_000,
  );

  it('a replay of all that was cut off says so, and asked again does the rest', async () => {
    const replayed = letters.replayAll(
      {},
      {
        signal: calm,
        perSecond: 10,
        onProgress: ({ done }) => {
          if (done === 10) void store.proxy.cut();
        },
      },
    );
    await expect(replayed).rejects.toBeInstanceOf(UnavailableError);
    const { failed = 0, waiting = 0 } = await inQueue();
    expect(failed + waiting).toBe(BURIED);
    expect(failed).toBeGreaterThan(0);
    await comeBack();
    const rest = await eventually(() => letters.replayAll({}, { signal: calm }), { withinMs: 20_000 });
    expect(rest).toEqual({ done: failed, skipped: 0 });
    expect(await inQueue()).toMatchObject({ failed: 0, waiting: BURIED });
  }, 60_000);

  it('a replay of all that is stopped leaves the others as they were', async () => {
    const stop = new AbortController();
    const stopped = letters.replayAll(
      {},
      {
        signal: stop.signal,
        perSecond: 10,
        onProgress: ({ done, total }) => {
          expect(total).toBe(BURIED);
          if (done === 10) stop.abort(new Error('enough'));
        },
      },
    );
    await expect(stopped).rejects.toThrow('enough');
    expect(await inQueue()).toMatchObject({ failed: BURIED - 10, waiting: 10 });
  });

  it('that was made while it was away answers once it is back', async () => {
    const early = createDeadLetters({ backend: space.backend, clock: systemClock, report: space.report });
    await goAway('cut');
    await expect(early.replay(ids[0] ?? '')).rejects.toBeInstanceOf(UnavailableError);
    await comeBack();
    expect(await eventually(() => early.replay(ids[0] ?? ''), { withinMs: 20_000 })).toEqual({ status: 'replayed' });
    await early.close();
    await expect(early.replay(ids[1] ?? '')).rejects.toBeInstanceOf(UnavailableError);
  }, 60_000);
});
