import { describe, expect, it } from 'vitest';
import { UnavailableError } from '../../../src/domain/errors.js';
import { NOW, RETENTION_MS } from './cases.js';
import { aHold } from '../../support/records.js';
import { addFakeJob } from '../../support/fakes/state.js';
import type { Row } from '../../support/fakes/retention-records.js';
import { createWorld } from './retention-world.js';

const { signal } = new AbortController();
const DUE_MS = NOW.getTime() - RETENTION_MS;

type Vary = (n: number) => Partial<Row>;

/** `count` rows that are due, the first the oldest. */
const dueRows = (count: number, vary: Vary = () => ({})): Row[] =>
  Array.from({ length: count }, (_, n) => ({
    gameId: `game-${String(n).padStart(5, '0')}`,
    status: 'stopped',
    sinceMs: DUE_MS - count + n,
    hold: null,
    ...vary(n),
  }));
const freshRows = (count: number): Row[] => dueRows(count, (n) => ({ gameId: `fresh-${n}`, sinceMs: NOW.getTime() }));

describe('a sweep', () => {
  it('a sweep enqueues in batches of at most 500, oldest first, and reports its progress', async () => {
    const batches: number[] = [];
    const progress: object[] = [];
    const rows = dueRows(1_201);
    const world = createWorld(rows.toReversed(), { maxShare: 1, onRequest: (ids) => void batches.push(ids.length) });
    const report = await world.retention.sweep({ signal, onProgress: (at) => progress.push(at) });
    expect(batches).toEqual([500, 500, 201]);
    expect(world.live()).toEqual(rows.map(({ gameId }) => gameId));
    expect(progress).toEqual([500, 1_000, 1_201].map((done) => ({ done, total: 1_201 })));
    expect(report).toEqual({
      status: 'done',
      asOf: NOW.toISOString(),
      finishedAt: NOW.toISOString(),
      stopped: 1_201,
      planned: 1_201,
      kept: { held: 0, dead_letter: 0, invalid_id: 0 },
      enqueued: 1_201,
      coalesced: 0,
      failed: 0,
    });
    expect(world.counted()).toBe(1_201);
    expect(world.reports).toEqual([report]);
  });

  it('a sweep reads more than one page, even when the last page is full', async () => {
    const world = createWorld(dueRows(4_000), { maxShare: 1 });
    await expect(world.retention.sweep({ signal })).resolves.toMatchObject({ planned: 4_000, enqueued: 4_000 });
  });

  it('a sweep counts the records that it keeps by reason', async () => {
    const [held, dead, invalid, alive] = dueRows(4);
    if (held === undefined || dead === undefined || invalid === undefined || alive === undefined) throw new Error();
    const rows = [{ ...held, hold: aHold() }, dead, { ...invalid, gameId: 'game ' }, alive, ...freshRows(2)];
    const world = createWorld(rows, { dead: new Map([[dead.gameId, { jobId: '1', code: 'conflict' }]]) });
    await expect(world.retention.sweep({ signal })).resolves.toMatchObject({
      stopped: 6,
      planned: 1,
      kept: { held: 1, dead_letter: 1, invalid_id: 1 },
    });
    expect(world.live()).toEqual([alive.gameId]);
  });

  it('a sweep counts cleanups that are already in the queue', async () => {
    const world = createWorld(dueRows(3));
    addFakeJob(world.state, { gameId: 'game-00001' }, { key: 'game-00001' });
    await expect(world.retention.sweep({ signal })).resolves.toMatchObject({ enqueued: 2, coalesced: 1 });
    expect(world.counted()).toBe(2);
  });

  it('a sweep during another sweep reports busy, and reads nothing', async () => {
    const world = createWorld(dueRows(3), { lock: { exclusively: async () => 'busy' } });
    await expect(world.retention.sweep({ signal })).resolves.toEqual({ status: 'busy' });
    expect(world.live()).toEqual([]);
    expect(world.reports).toEqual([{ status: 'busy' }]);
  });
});

describe('a sweep of too large a share', () => {
  const more = [...dueRows(51), ...freshRows(49)];

  it('a sweep of one more than half enqueues nothing, and reports why', async () => {
    const world = createWorld(more);
    const report = await world.retention.sweep({ signal });
    expect(report).toMatchObject({ status: 'refused', planned: 51, stopped: 100, maxShare: 0.5 });
    expect(report).toHaveProperty('reason', expect.stringMatching(/RTMANAGER_SWEEP_MAX_SHARE=51%$/));
    expect(report).not.toHaveProperty('enqueued');
    expect(world.live()).toEqual([]);
    expect(world.counted()).toBe(0);
    expect(world.reports).toEqual([report]);
  });

  it('a sweep may take all of 9, and not all of 10', async () => {
    await expect(createWorld(dueRows(9)).retention.sweep({ signal })).resolves.toMatchObject({ enqueued: 9 });
    await expect(createWorld(dueRows(10)).retention.sweep({ signal })).resolves.toMatchObject({
      status: 'refused',
      reason: expect.stringMatching(/^10 of 10 stopped records are due, 5 at most may be /),
    });
  });

  it('a sweep with its own larger share is allowed once', async () => {
    const world = createWorld(more);
    await expect(world.retention.sweep({ signal, maxShare: 0.51 })).resolves.toMatchObject({ enqueued: 51 });
    await expect(world.retention.sweep({ signal })).resolves.toMatchObject({ status: 'refused' });
    await expect(createWorld(dueRows(2_000)).retention.sweep({ signal, maxShare: 1 })).resolves.toMatchObject({
      enqueued: 2_000,
    });
  });

  it('the limit of a sweep does not count kept records', async () => {
    const held = dueRows(100, (n) => ({ hold: n < 50 ? aHold() : null }));
    await expect(createWorld(held).retention.sweep({ signal })).resolves.toMatchObject({ enqueued: 50 });
  });
});

describe('a failing queue', () => {
  it('a queue that refuses one game makes the sweep leave out only that game', async () => {
    const world = createWorld(dueRows(1_100), {
      maxShare: 1,
      onRequest: (ids) => {
        if (ids.includes('game-00600')) throw new TypeError('what an id');
      },
    });
    await expect(world.retention.sweep({ signal })).resolves.toMatchObject({
      planned: 1_100,
      enqueued: 1_099,
      failed: 1,
    });
    expect(world.skipped).toEqual(['game-00600']);
    expect(world.live()).not.toContain('game-00600');
    expect(world.counted()).toBe(1_099);
  });

  it('a queue that refuses every game does not prevent the report', async () => {
    const world = createWorld(dueRows(3), {
      onRequest: () => {
        throw new TypeError('a bug');
      },
    });
    await expect(world.retention.sweep({ signal })).resolves.toMatchObject({ status: 'done', enqueued: 0, failed: 3 });
    expect(world.skipped).toHaveLength(3);
  });

  it('an unavailable queue is not asked again, and the sweep rejects and can be repeated', async () => {
    let calls = 0;
    const unavailable = new UnavailableError('queue', 'the queue is not available');
    const world = createWorld(dueRows(1_500), {
      maxShare: 1,
      onRequest: () => {
        calls += 1;
        if (calls === 2) throw unavailable;
      },
    });
    await expect(world.retention.sweep({ signal })).rejects.toBe(unavailable);
    expect(calls).toBe(2);
    expect(world.counted()).toBe(500);
    expect(world.reports).toEqual([]);
    await expect(world.retention.sweep({ signal })).resolves.toMatchObject({ enqueued: 1_000, coalesced: 500 });
  });
});

describe('an aborted sweep', () => {
  it('an aborted sweep ends after the current batch, with the reason of its signal', async () => {
    const stop = new AbortController();
    const reason = new Error('stop now');
    const world = createWorld(dueRows(1_500), { maxShare: 1, onRequest: () => stop.abort(reason) });
    await expect(world.retention.sweep({ signal: stop.signal })).rejects.toBe(reason);
    expect(world.live()).toHaveLength(500);
  });

  it('an aborted sweep does not split a refused batch into single games', async () => {
    const stop = new AbortController();
    let calls = 0;
    const world = createWorld(dueRows(10), {
      maxShare: 1,
      onRequest: () => {
        calls += 1;
        stop.abort();
        throw new TypeError('a bug');
      },
    });
    await expect(world.retention.sweep({ signal: stop.signal })).rejects.toHaveProperty('name', 'AbortError');
    expect(calls).toBe(1);
  });

  it('a sweep whose signal is already aborted does not start', async () => {
    const world = createWorld(dueRows(3), { lock: { exclusively: () => expect.unreachable() } });
    await expect(world.retention.sweep({ signal: AbortSignal.abort() })).rejects.toHaveProperty('name', 'AbortError');
  });
});
