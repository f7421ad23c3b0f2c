import { describe, expect, it } from 'vitest';
import { UnavailableError } from '../../../src/domain/errors.js';
import { OP_KIND } from '../../../src/domain/operation.js';
import type { Leases } from '../../../src/lease/with-lease.js';
import { aCommand, createWorld, idle } from '../../support/cleanup-world.js';
import { aRecord, CONTAINER_ID, OTHER_CONTAINER_ID } from '../../support/records.js';
import { neverAborted } from '../../support/calls.js';

const endingWith = (ending: Awaited<ReturnType<Leases['withLease']>>): Leases => ({
  // The work is never run, because without the lease nothing may be done.
  withLease: async () => ending as never,
});

describe('a cleanup of a stopped game', () => {
  it('a cleanup takes the record, looks at the container, removes it and then changes the record, in that order', async () => {
    const world = createWorld();
    await world.service.handle(aCommand(), neverAborted);
    expect(world.journal).toEqual(['take game-1', 'turn', 'look', 'removal is next', 'remove', 'mark', 'release']);
  });

  it('a cleanup returns the changed record: removed, without a container, with both times', async () => {
    const world = createWorld();
    const at = new Date('2026-03-01T00:00:00Z');
    expect(await world.service.handle(aCommand(), neverAborted)).toEqual({
      outcome: 'success',
      errorCode: '',
      errorMessage: '',
      removal: 'removed',
      record: aRecord({ status: 'removed', currentContainerId: null, removedAt: at, lastOpAt: at, leaseEpoch: 8n }),
    });
  });

  it('a cleanup writes exactly one row, with every fact of the operation', async () => {
    const world = createWorld();
    await world.service.handle(aCommand({ gameId: '  game-1 ' }), neverAborted);
    expect(world.rows).toEqual([
      {
        gameId: 'game-1',
        opKind: OP_KIND,
        opSource: 'admin_rest',
        sourceRef: 'request-9',
        imageRef: 'registry.example/game:7',
        containerId: CONTAINER_ID,
        outcome: 'success',
        errorCode: '',
        errorMessage: '',
        elapsedMs: expect.any(Number),
        jobId: '42',
        attempt: 3,
        removal: 'removed',
        engine: 'default',
        actor: '',
      },
    ]);
  });

  it('a second cleanup is a replay that changes nothing and writes a row of its own', async () => {
    const world = createWorld();
    await world.service.handle(aCommand(), neverAborted);
    const before = world.record;
    const again = await world.service.handle(aCommand(), neverAborted);
    expect(again).toMatchObject({ outcome: 'success', errorCode: 'replay_no_op', record: before });
    expect(world.record).toBe(before);
    expect(world.journal).toEqual([
      'take game-1',
      'turn',
      'look',
      'removal is next',
      'remove',
      'mark',
      'release',
      'take game-1',
    ]);
    expect(world.rows.map((row) => row.errorCode)).toEqual(['', 'replay_no_op']);
  });
});

describe('the validation of a command', () => {
  const rows: readonly [situation: string, over: Parameters<typeof aCommand>[0], words: RegExp][] = [
    ['an empty game id', { gameId: '' }, /gameId is empty/],
    ['a blank game id', { gameId: ' \t ' }, /gameId is empty/],
    ['a game id of 257 characters', { gameId: 'x'.repeat(257) }, /257 characters; at most 256/],
    ['a game id with a NUL', { gameId: 'a\0b' }, /control character/],
    ['a game id with a lone surrogate', { gameId: 'a\uD800b' }, /lone surrogate/],
    ['an unknown source', { opSource: 'cron' }, /"cron" is unknown; allowed: lobby_stream/],
    ['a source reference of 257 characters', { sourceRef: 'r'.repeat(257) }, /257 characters/],
    ['a short expected container id', { expectedContainerId: 'abc' }, /"abc" is not a full container id/],
  ];

  it.each(rows)('%s is refused', async (_situation, over, words) => {
    const world = createWorld();
    const result = await world.service.handle(aCommand(over), neverAborted);
    expect(result).toMatchObject({ outcome: 'failure', errorCode: 'invalid_request', record: null });
    expect(result.errorMessage).toMatch(words);
    expect(world.journal).toEqual([]);
    expect(world.rows).toHaveLength(1);
  });

  it('256 emoji are a game id', async () => {
    const world = createWorld();
    await world.service.handle(aCommand({ gameId: '🎲'.repeat(256) }), neverAborted);
    expect(world.journal[0]).toBe(`take ${'🎲'.repeat(256)}`);
  });

  it('a row never carries text that PostgreSQL cannot store', async () => {
    const world = createWorld();
    await world.service.handle(aCommand({ gameId: 'a\0\uD800b', sourceRef: 'r\0' }), neverAborted);
    expect(world.rows[0]).toMatchObject({ gameId: 'a\uFFFDb', sourceRef: 'r' });
  });
});

describe('the lease of a cleanup', () => {
  it('a lease that another operation holds is a conflict, and no record is read', async () => {
    const world = createWorld(endingWith({ status: 'busy' }));
    expect(await world.service.handle(aCommand(), neverAborted)).toMatchObject({ errorCode: 'conflict' });
    expect(world.journal).toEqual([]);
    expect(world.rows).toHaveLength(1);
  });

  it('a lease that cannot be acquired makes the cleanup service_unavailable', async () => {
    const cause = new UnavailableError('redis', 'connection refused');
    const world = createWorld(endingWith({ status: 'unavailable', cause }));
    const result = await world.service.handle(aCommand(), neverAborted);
    expect(result).toMatchObject({ errorCode: 'service_unavailable' });
    expect(result.errorMessage).toMatch(/lease could not be acquired: connection refused/);
  });

  it('a lost lease makes the cleanup lease_lost, and the message states that nothing was changed', async () => {
    const world = createWorld(endingWith({ status: 'lost', reason: 'the lease ran out' }));
    const result = await world.service.handle(aCommand(), neverAborted);
    expect(result).toMatchObject({ errorCode: 'lease_lost', errorMessage: 'the lease ran out; nothing was changed' });
  });

  it('a lease lost between removal and record leaves a row that says the container is gone', async () => {
    const world = createWorld({
      withLease: async (_gameId, signal, work) => {
        let asked = 0;
        const assertHeld = (): void => {
          if (++asked > 1) throw new Error('lost');
        };
        await expect(work({ signal, assertHeld })).rejects.toThrow('lost');
        return { status: 'lost', reason: 'the lease ran out' };
      },
    });
    await world.service.handle(aCommand(), neverAborted);
    expect(world.journal).toEqual(['take game-1', 'turn', 'look', 'removal is next', 'remove', 'release']);
    expect(world.rows).toMatchObject([{ errorCode: 'lease_lost', containerId: CONTAINER_ID }]);
    expect(world.rows[0]?.errorMessage).toMatch(/the container is gone/);
  });
});

describe('a refused cleanup', () => {
  it('a container of another game is not removed', async () => {
    const world = createWorld();
    world.look = async () => ({ ...idle, gameLabel: 'game-2' });
    expect(await world.service.handle(aCommand(), neverAborted)).toMatchObject({ errorCode: 'container_mismatch' });
    expect(world.journal).not.toContain('remove');
  });

  it('a container that started between the look and the removal is a conflict', async () => {
    const world = createWorld();
    world.remove = async () => ({ kind: 'still_there', state: { ...idle, activity: 'running' }, detail: '409' });
    expect(await world.service.handle(aCommand(), neverAborted)).toMatchObject({ errorCode: 'conflict' });
    expect(world.record).toMatchObject({ status: 'stopped' });
  });

  it('an idle container that the engine failed to remove is retried later', async () => {
    const world = createWorld();
    world.remove = async () => ({ kind: 'still_there', state: idle, detail: 'device or resource busy' });
    const result = await world.service.handle(aCommand(), neverAborted);
    expect(result).toMatchObject({ errorCode: 'service_unavailable' });
    expect(result.errorMessage).toMatch(/device or resource busy/);
  });
});

describe('a lost compare-and-set', () => {
  it('a lost compare-and-set is a replay when another operation removed the container', async () => {
    const world = createWorld();
    const removed = aRecord({ status: 'removed', currentContainerId: null });
    world.mark = async () => ({ status: 'already_removed', record: removed });
    expect(await world.service.handle(aCommand(), neverAborted)).toMatchObject({
      errorCode: 'replay_no_op',
      record: removed,
    });
    expect(world.rows.map((row) => row.errorCode)).toEqual(['replay_no_op']);
  });

  it.each([
    ['the game was started', aRecord({ status: 'running' }), /became "running"/],
    ['another container is recorded', aRecord({ currentContainerId: OTHER_CONTAINER_ID }), /another container/],
    ['another holder took the record', aRecord({ leaseEpoch: 9n }), /another holder/],
  ])('a lost compare-and-set is a conflict when %s', async (_situation, found, words) => {
    const world = createWorld();
    world.mark = async () => ({ status: 'changed', record: found });
    const result = await world.service.handle(aCommand(), neverAborted);
    expect(result).toMatchObject({ errorCode: 'conflict', record: null });
    expect(result.errorMessage).toMatch(words);
  });
});

describe('a failing dependency', () => {
  it.each(['take', 'look', 'removalIsNext', 'remove', 'mark'] as const)(
    'an outage during %s is service_unavailable',
    async (step) => {
      const world = createWorld();
      world[step] = async () => {
        throw new UnavailableError('docker', `no answer to ${step}`);
      };
      expect(await world.service.handle(aCommand(), neverAborted)).toMatchObject({
        errorCode: 'service_unavailable',
        errorMessage: `no answer to ${step}`,
      });
      expect(world.rows).toHaveLength(1);
    },
  );

  it.each(['take', 'look', 'removalIsNext', 'remove', 'mark'] as const)(
    'a bug during %s is internal_error',
    async (step) => {
      const world = createWorld();
      world[step] = async () => {
        throw new TypeError('x is not a function');
      };
      expect(await world.service.handle(aCommand(), neverAborted)).toMatchObject({ errorCode: 'internal_error' });
    },
  );

  it('a row that cannot be written is reported, and the refusal stays', async () => {
    const world = createWorld();
    world.record = undefined;
    const cause = new UnavailableError('postgresql', 'gone');
    world.append = async () => {
      throw cause;
    };
    expect(await world.service.handle(aCommand(), neverAborted)).toMatchObject({ errorCode: 'not_found' });
    expect(world.lostRows).toEqual([cause]);
    expect(world.concluded).toHaveLength(1);
  });

  it('a cleanup that is aborted by a shutdown rejects with its reason and leaves no row', async () => {
    const world = createWorld();
    const stop = new AbortController();
    const reason = new Error('shutting down');
    world.look = async (signal) => {
      stop.abort(reason);
      throw signal.reason;
    };
    await expect(world.service.handle(aCommand(), stop.signal)).rejects.toBe(reason);
    expect(world.rows).toEqual([]);
    expect(world.journal).not.toContain('remove');
  });
});
