/** What an ending leaves behind: which steps were taken, and what its row and its text tell. */
import { describe, expect, it } from 'vitest';
import type { Leases } from '../../../src/lease/with-lease.js';
import { aCommand, createWorld } from '../../support/cleanup-world.js';
import { aRecord } from '../../support/records.js';
import { type CleanupDeps, createCleanupService } from '../../../src/cleanup/cleanup-service.js';

const calm = new AbortController().signal;

describe('a refusal by the record', () => {
  it.each([
    ['running', 'conflict'],
    ['frozen', 'internal_error'],
  ])(
    'a record that is %s ends the cleanup: the engine is not asked, the record not changed',
    async (status, errorCode) => {
      const world = createWorld();
      world.record = aRecord({ status });
      expect(await world.service.handle(aCommand(), calm)).toMatchObject({
        outcome: 'failure',
        errorCode,
        record: null,
      });
      expect(world.journal).toEqual(['take game-1']);
      expect(world.rows).toMatchObject([{ outcome: 'failure', errorCode }]);
      expect(world.record).toMatchObject({ status });
    },
  );

  it('the refusal of a sweep says how long ago the record was stopped and when it is due', async () => {
    const world = createWorld();
    world.stoppedForMs = 3_000;
    const result = await world.service.handle(aCommand({ opSource: 'auto_ttl' }), calm);
    expect(result).toMatchObject({ errorCode: 'conflict', errorMessage: 'not due: stopped for 3 s, due in 7 s' });
    expect(world.journal).toEqual(['take game-1']);
  });

  it('the refusal of a sweep never says that the record is due in 0 s', async () => {
    const world = createWorld();
    world.stoppedForMs = 9_999;
    const { errorMessage } = await world.service.handle(aCommand({ opSource: 'auto_ttl' }), calm);
    expect(errorMessage).toBe('not due: stopped for 9 s, due in 1 s');
  });
});

it('a replay does not write to the record', async () => {
  const world = createWorld();
  world.record = aRecord({ status: 'removed', currentContainerId: null });
  await world.service.handle(aCommand(), calm);
  expect(world.journal).toEqual(['take game-1']);
});

describe('the row of an operation', () => {
  it('the row of an operation that found no record names no image and no container', async () => {
    const world = createWorld();
    world.record = undefined;
    await world.service.handle(aCommand(), calm);
    expect(world.rows).toMatchObject([{ errorCode: 'not_found', imageRef: '', containerId: '' }]);
  });

  it('the row says how long the operation took', async () => {
    const world = createWorld();
    world.elapsedMs = 1_000;
    await world.service.handle(aCommand(), calm);
    await world.service.handle(aCommand({ gameId: '' }), calm);
    // The clock of this world moves on by a second each time that it is asked.
    expect(world.rows[1]).toMatchObject({ errorCode: 'invalid_request', elapsedMs: 1_000 });
  });

  it('a command that cannot be handled leaves a row, too, and its result is the refusal', async () => {
    const world = createWorld();
    const refused = await world.service.refuse(aCommand(), 'internal_error', 'the worker vanished');
    expect(refused).toEqual({
      outcome: 'failure',
      errorCode: 'internal_error',
      errorMessage: 'the worker vanished',
      record: null,
      removal: '',
    });
    expect(world.rows).toMatchObject([{ jobId: '42', attempt: 3, errorMessage: 'the worker vanished' }]);
    expect(world.concluded).toEqual(world.rows);
    expect(world.journal).toEqual([]);
  });
});

describe('the message of a result', () => {
  const busy: Leases = { withLease: async () => ({ status: 'busy' }) };
  const removed = aRecord({ status: 'removed', currentContainerId: null });

  it.each([
    ['without a record', 'there is no runtime record of this game', { record: undefined }, undefined],
    ['with the lease elsewhere', 'another operation holds the lease of this game', {}, busy],
    ['as a replay', 'the container was removed before', { record: removed }, undefined],
    [
      'on a record that vanished',
      'the runtime record vanished while its container was cleaned up',
      { mark: async () => ({ status: 'vanished' }) as const },
      undefined,
    ],
  ])('%s says what was found: %s', async (_situation, words, facts, leases) => {
    const world = Object.assign(createWorld(leases), facts);
    expect(await world.service.handle(aCommand(), calm)).toMatchObject({ errorMessage: words });
    expect(world.rows).toMatchObject([{ errorMessage: words }]);
  });

  it('the message about an expected container shows no more of its id than fits on a line', async () => {
    const expectedContainerId = 'a'.repeat(10_000);
    const { errorMessage } = await createWorld().service.handle(aCommand({ expectedContainerId }), calm);
    expect(errorMessage).toContain(`"${'a'.repeat(80)}" is not a full container id`);
  });
});

describe('the cleanup service', () => {
  it('is not built without a collaborator, and the error names each missing function', () => {
    const functions =
      'leases.withLease, records.take, records.markRemoved, log.append, engines.take, ' +
      'observer.concluded, observer.auditRowLost, clock.monotonicMs';
    expect(() => createCleanupService({} as never, { retentionMs: 1 })).toThrow(
      `the cleanup service cannot be built without ${functions}`,
    );
  });

  it('is not built with a collaborator that is null', () => {
    expect(() => createCleanupService({ ...parts(), engines: null } as never, { retentionMs: 1 })).toThrow(
      /^the cleanup service cannot be built without engines.take$/,
    );
  });

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('is not built with a retention of %s', (retentionMs) => {
    expect(() => createCleanupService(parts(), { retentionMs })).toThrow(/retentionMs/);
  });

  it('is built with a retention of 0, by which a stopped record is due at once', () => {
    expect(createCleanupService(parts(), { retentionMs: 0 })).toHaveProperty('handle');
  });
});

/** Collaborators that are complete and refuse to be used. */
function parts(): CleanupDeps {
  const unused = (): never => {
    throw new TypeError('not to be called while the service is built');
  };
  return {
    leases: { withLease: unused },
    records: { take: unused, markRemoved: unused },
    log: { append: unused },
    engines: { take: unused },
    observer: { concluded: unused, auditRowLost: unused, leaseReleaseFailed: unused },
    clock: { now: unused, monotonicMs: unused, after: unused },
  };
}
