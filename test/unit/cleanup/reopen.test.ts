import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/async/clock.js';
import type { ContainerState, Engines } from '../../../src/cleanup/ports.js';
import { createReopen, type RemovedRecord, type ReopenDeps, type ReopenedAs } from '../../../src/cleanup/reopen.js';
import { LeaseLostError, UnavailableError } from '../../../src/domain/errors.js';
import type { OperationEntry } from '../../../src/domain/operation.js';
import type { Leases } from '../../../src/lease/with-lease.js';
import { aRecord, CONTAINER_ID } from '../../support/records.js';

const COMMAND = { gameId: ' game-1 ', opSource: 'admin_rest', sourceRef: 'request-9', actor: 'kim' } as const;
const ROW = { containerId: CONTAINER_ID, removal: 'already_gone', engine: 'blue', startedSince: false };
const REMOVED: RemovedRecord = {
  record: aRecord({ status: 'removed', currentContainerId: null }),
  removedAt: '2026-03-01 00:00:00+00',
  row: ROW,
};
const IDLE: ContainerState = { kind: 'present', gameLabel: 'game-1', activity: 'idle', detail: 'exited' };

/** A removed record whose container exists after all; override what a test is about. */
function world(
  over: Partial<ReopenDeps> = {},
  { look = IDLE, read = REMOVED }: { readonly look?: ContainerState; readonly read?: RemovedRecord | null } = {},
) {
  const journal: string[] = [];
  const rows: OperationEntry[] = [];
  const concluded: OperationEntry[] = [];
  const written: ReopenedAs[] = [];
  const lost: unknown[] = [];
  const leases: Leases = {
    withLease: async (_gameId, signal, work) => ({
      status: 'done',
      value: await work({ signal, assertHeld: () => void journal.push('assert held') }),
    }),
  };
  const engines: Engines = {
    take: async (name) => {
      journal.push(`take ${name}`);
      return {
        outcome: 'granted',
        engine: {
          look: async () => look,
          remove: () => Promise.reject(new TypeError('a reopening removes nothing')),
          labelled: async () => [],
        },
        evidence: {
          foundPresent: async () => void journal.push('found present'),
          removalIsNext: () => Promise.reject(new TypeError('a reopening removes nothing')),
          judgeGone: () => Promise.reject(new TypeError('a reopening judges nothing')),
        },
        release: () => void journal.push('release'),
      };
    },
  };
  const reopen = createReopen({
    leases,
    engines,
    records: {
      find: async () => read ?? undefined,
      reopen: async (found, as, entry) => {
        journal.push('reopen');
        rows.push(entry);
        written.push(as);
        return { status: 'reopened', record: { ...found.record, status: 'stopped' } };
      },
    },
    log: { append: async (entry) => void rows.push(entry) },
    purgeDeadLetters: async () => {
      journal.push('purge');
      return 0;
    },
    observer: {
      reopenConcluded: (entry) => void concluded.push(entry),
      auditRowLost: (_entry, cause) => void lost.push(cause),
    },
    clock: systemClock,
    ...over,
  });
  const signal = new AbortController().signal;
  return { journal, rows, concluded, written, lost, run: () => reopen(COMMAND, signal), reopen };
}

describe('a reopening', () => {
  it('the record is put back after a look, a purge and a check of the lease, and one row says so', async () => {
    const { run, journal, rows, concluded, written } = world();
    expect(await run()).toMatchObject({ outcome: 'success', errorCode: '', record: { status: 'stopped' } });
    expect(journal).toEqual(['take blue', 'found present', 'purge', 'assert held', 'reopen', 'release']);
    expect(written).toEqual([{ containerId: CONTAINER_ID, dockerHost: 'blue' }]);
    expect(rows).toMatchObject([
      {
        gameId: 'game-1',
        opKind: 'reopen_record',
        opSource: 'admin_rest',
        outcome: 'success',
        errorCode: '',
        containerId: CONTAINER_ID,
        engine: 'blue',
        actor: 'kim',
        sourceRef: 'request-9',
        removal: '',
      },
    ]);
    expect(concluded).toHaveLength(1);
  });

  it('a record of the default engine names no engine', async () => {
    const { run, written } = world({}, { read: { ...REMOVED, row: { ...ROW, engine: 'default' } } });
    await run();
    expect(written).toEqual([{ containerId: CONTAINER_ID, dockerHost: null }]);
  });

  it('the row says how many dead letters were purged', async () => {
    const { run, rows } = world({ purgeDeadLetters: async () => 2 });
    expect(await run()).toMatchObject({ outcome: 'success', errorMessage: '2 dead letters of the game were purged' });
    expect(rows[0]?.errorMessage).toContain('2 dead letters');
  });
});

const lease = (ending: Awaited<ReturnType<Leases['withLease']>>): Partial<ReopenDeps> => ({
  leases: { withLease: async () => ending as never },
});
const unavailable = (): Promise<never> => Promise.reject(new UnavailableError('queue', 'the queue is unavailable'));

describe('a reopening that fails', () => {
  const failures: readonly [situation: string, code: string, made: ReturnType<typeof world>][] = [
    ['there is no record', 'not_found', world({}, { read: null })],
    ['the record is stopped', 'conflict', world({}, { read: { ...REMOVED, record: aRecord() } })],
    ['the container is gone', 'not_found', world({}, { look: { kind: 'gone' } })],
    ['the container runs', 'conflict', world({}, { look: { ...IDLE, activity: 'running' } })],
    ['the container has no label', 'container_mismatch', world({}, { look: { ...IDLE, gameLabel: null } })],
    ['the engine has no address', 'service_unavailable', world({ engines: { take: async () => undefined } })],
    [
      'another engine answers',
      'engine_mismatch',
      world({
        engines: {
          take: async () => ({
            outcome: 'held',
            errorCode: 'engine_mismatch',
            errorMessage: 'other',
            retryInMs: 1,
            firstRow: 'written',
          }),
        },
      }),
    ],
    ['the engine is silent', 'service_unavailable', world({ engines: { take: unavailable } })],
    ['the queue is unavailable', 'service_unavailable', world({ purgeDeadLetters: unavailable })],
    ['the lease is taken', 'conflict', world(lease({ status: 'busy' }))],
    ['the lease is lost', 'lease_lost', world(lease({ status: 'lost', reason: 'it ran out' }))],
    ['the lease store is silent', 'service_unavailable', world(lease({ status: 'unavailable', cause: 'silent' }))],
    ['a bug', 'internal_error', world({ purgeDeadLetters: () => Promise.reject(new TypeError('bug')) })],
    [
      'the record was changed',
      'conflict',
      world({ records: { find: async () => REMOVED, reopen: async () => ({ status: 'changed' }) } }),
    ],
    [
      'the record vanished',
      'not_found',
      world({ records: { find: async () => REMOVED, reopen: async () => ({ status: 'vanished' }) } }),
    ],
  ];

  it.each(failures)('%s: it ends as %s, leaves one row and changes no record', async (_situation, code, made) => {
    expect(await made.run()).toMatchObject({ outcome: 'failure', errorCode: code, record: null });
    expect(made.written).toEqual([]);
    expect(made.rows).toMatchObject([{ opKind: 'reopen_record', outcome: 'failure', errorCode: code, actor: 'kim' }]);
    expect(made.concluded).toHaveLength(1);
  });

  it('a lost lease stops the reopening before the record is changed', async () => {
    const lostLease: Leases = {
      withLease: async (gameId, signal, work) => {
        const assertHeld = () => {
          throw new LeaseLostError(gameId, 'it ran out');
        };
        return { status: 'done', value: await work({ signal, assertHeld }) };
      },
    };
    const { run, written } = world({ leases: lostLease });
    await run();
    expect(written).toEqual([]);
  });

  it('a text that is no game id is refused before the lease is taken', async () => {
    const { reopen, rows } = world({ leases: { withLease: () => Promise.reject(new TypeError('no lease')) } });
    const result = await reopen({ ...COMMAND, gameId: ' ' }, new AbortController().signal);
    expect([result.errorCode, rows.length]).toEqual(['invalid_request', 1]);
  });

  it('a row that cannot be written is reported and changes no outcome', async () => {
    const { run, lost } = world({ log: { append: unavailable } }, { read: null });
    expect(await run()).toMatchObject({ errorCode: 'not_found' });
    expect(lost).toHaveLength(1);
  });

  it('an abort rejects with its reason, and leaves no row', async () => {
    const stop = new AbortController();
    const { reopen, rows } = world({
      purgeDeadLetters: () => {
        stop.abort(new Error('stopped'));
        return unavailable();
      },
    });
    await expect(reopen(COMMAND, stop.signal)).rejects.toThrow('stopped');
    expect(rows).toEqual([]);
  });
});
