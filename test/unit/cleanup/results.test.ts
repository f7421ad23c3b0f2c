/** What each ending of a cleanup leaves: the steps, the row in the log, and its message. */
import { describe, expect, it } from 'vitest';
import type { Leases } from '../../../src/lease/with-lease.js';
import { aCommand, createWorld } from '../../support/cleanup-world.js';
import { aRecord } from '../../support/records.js';
import { type CleanupDeps, createCleanupService } from '../../../src/cleanup/cleanup-service.js';
import { neverAborted } from '../../support/calls.js';

describe('a refusal by the record', () => {
  it.each([
    ['running', 'conflict'],
    ['frozen', 'internal_error'],
  ])(
    'a record that is %s ends the cleanup without a call to the engine or a change of the record',
    async (status, errorCode) => {
      const world = createWorld();
      world.record = aRecord({ status });
      expect(await world.service.handle(aCommand(), neverAborted)).toMatchObject({
        outcome: 'failure',
        errorCode,
        record: null,
      });
      expect(world.journal).toEqual(['take game-1']);
      expect(world.rows).toMatchObject([{ outcome: 'failure', errorCode }]);
      expect(world.record).toMatchObject({ status });
    },
  );

  it.each([
    [3_000, 'not due: stopped for 3 s, due in 7 s'],
    [9_999, 'not due: stopped for 9 s, due in 1 s'],
  ])(
    'the refusal of a sweep after %d ms states the age of the stop and when it is due: %s',
    async (ms, errorMessage) => {
      const world = createWorld();
      world.stoppedForMs = ms;
      const result = await world.service.handle(aCommand({ opSource: 'auto_ttl' }), neverAborted);
      expect(result).toMatchObject({ errorCode: 'conflict', errorMessage });
      expect(world.journal).toEqual(['take game-1']);
    },
  );
});

describe('the row of an operation', () => {
  it('the row of an operation that found no record names no image and no container', async () => {
    const world = createWorld();
    world.record = undefined;
    await world.service.handle(aCommand(), neverAborted);
    expect(world.rows).toMatchObject([{ errorCode: 'not_found', imageRef: '', containerId: '' }]);
  });

  it('the row contains the duration of the operation', async () => {
    const world = createWorld();
    world.elapsedMs = 1_000;
    await world.service.handle(aCommand(), neverAborted);
    await world.service.handle(aCommand({ gameId: '' }), neverAborted);
    // The clock of this world advances by a second at each reading.
    expect(world.rows[1]).toMatchObject({ errorCode: 'invalid_request', elapsedMs: 1_000 });
  });

  it('a command that cannot be handled leaves a row, and its result is the refusal', async () => {
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
    ['without a record', 'there is no runtime record of this game', 'not_found', { record: undefined }, undefined],
    ['without the lease', 'another operation holds the lease of this game', 'conflict', {}, busy],
    ['that is a replay', 'the container was removed before', 'replay_no_op', { record: removed }, undefined],
    [
      'of a record that vanished',
      'the runtime record vanished while its container was cleaned up',
      'not_found',
      { mark: async () => ({ status: 'vanished' }) as const },
      undefined,
    ],
  ])(
    'the message of a cleanup %s states what was found: %s',
    async (_situation, errorMessage, errorCode, facts, leases) => {
      const world = Object.assign(createWorld(leases), facts);
      expect(await world.service.handle(aCommand(), neverAborted)).toMatchObject({ errorCode, errorMessage });
      expect(world.rows).toMatchObject([{ errorCode, errorMessage }]);
    },
  );

  it('the message about an expected container shortens a long id', async () => {
    const expectedContainerId = 'a'.repeat(10_000);
    const { errorMessage } = await createWorld().service.handle(aCommand({ expectedContainerId }), neverAborted);
    expect(errorMessage).toContain(`"${'a'.repeat(80)}" is not a full container id`);
  });
});

describe('the cleanup service', () => {
  it('the service is not built without its collaborators, and the error names each missing function', () => {
    const functions =
      'leases.withLease, records.take, records.markRemoved, log.append, engines.take, ' +
      'observer.concluded, observer.auditRowLost, clock.monotonicMs';
    expect(() => createCleanupService({} as never, { retentionMs: 1 })).toThrow(
      `the cleanup service cannot be built without ${functions}`,
    );
  });

  it('the service is not built with a collaborator that is null', () => {
    expect(() => createCleanupService({ ...parts(), engines: null } as never, { retentionMs: 1 })).toThrow(
      /^the cleanup service cannot be built without engines.take$/,
    );
  });

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY])(
    'the service is not built with a retention of %s',
    (retentionMs) => {
      expect(() => createCleanupService(parts(), { retentionMs })).toThrow(/retentionMs/);
    },
  );

  it('the service is built with a retention of 0, which makes a stopped record due at once', () => {
    expect(createCleanupService(parts(), { retentionMs: 0 })).toHaveProperty('handle');
  });
});

/** Complete collaborators; a call to any of them fails the test. */
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
