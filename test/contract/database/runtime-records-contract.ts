import { describe, expect, test } from 'vitest';
import type { RuntimeRecords, TakenRecord } from '../../../src/cleanup/ports.js';
import type { OperationEntry } from '../../../src/domain/operation.js';
import type { RuntimeRecord } from '../../../src/domain/runtime-record.js';
import { openForAllTests } from '../hooks.js';
import { anEntry, aRecord, OTHER_CONTAINER_ID } from '../../support/records.js';

/** The records under test and direct access to their store. The only game is `game-1`. */
export interface RecordsHarness {
  readonly records: RuntimeRecords;
  /** Stores this as the record of its game; undefined deletes the record. */
  readonly put: (record: RuntimeRecord | undefined) => Promise<void>;
  readonly read: () => Promise<RuntimeRecord | undefined>;
  /** The operation log's rows, oldest first. */
  readonly rows: () => Promise<readonly Pick<OperationEntry, 'gameId' | 'outcome' | 'jobId'>[]>;
  /** Deletes the record and the log. */
  readonly clear: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** What every implementation of `RuntimeRecords` promises. */
export function runtimeRecordsContract(name: string, open: () => Promise<RecordsHarness>): void {
  describe(`runtime records: ${name}`, () => {
    let harness: RecordsHarness;
    openForAllTests(open, (opened) => {
      harness = opened;
    });

    const take = async (): Promise<TakenRecord> => {
      const taken = await harness.records.take('game-1');
      if (taken === undefined) throw new Error('there is no record to take');
      return taken;
    };

    describe('taking', () => {
      test('taking a game without a record returns undefined', async () => {
        expect(await harness.records.take('game-1')).toBeUndefined();
      });

      test('taking a stopped record increments its fence and returns the new one', async () => {
        await harness.put(aRecord({ leaseEpoch: 7n }));
        expect((await take()).record).toEqual(aRecord({ leaseEpoch: 8n }));
        expect(await harness.read()).toEqual(aRecord({ leaseEpoch: 8n }));
        expect((await take()).record.leaseEpoch).toBe(9n);
      });

      test.each(['running', 'removed'])('taking a %s record returns it unchanged', async (status) => {
        await harness.put(aRecord({ status }));
        expect((await take()).record).toEqual(aRecord({ status }));
        expect(await harness.read()).toEqual(aRecord({ status }));
      });
    });

    describe('marking as removed', () => {
      test('marking a record as removed clears its container id, sets both times and appends the row', async () => {
        await harness.put(aRecord());
        const { record } = await take();
        const answer = await harness.records.markRemoved(record, anEntry());
        const after = await harness.read();
        expect(answer).toEqual({ status: 'marked', record: after });
        expect(after).toEqual({
          ...record,
          status: 'removed',
          currentContainerId: null,
          removedAt: expect.any(Date),
          lastOpAt: after?.removedAt,
        });
        expect(await harness.rows()).toMatchObject([{ gameId: 'game-1', outcome: 'success', jobId: '42' }]);
      });

      test('a record without a container can be marked as removed', async () => {
        await harness.put(aRecord({ currentContainerId: null }));
        const { record } = await take();
        expect(await harness.records.markRemoved(record, anEntry())).toMatchObject({ status: 'marked' });
      });

      const changes: readonly (readonly [string, Partial<RuntimeRecord>])[] = [
        ['was started again', { status: 'running', leaseEpoch: 8n }],
        ['names another container', { currentContainerId: OTHER_CONTAINER_ID, leaseEpoch: 8n }],
        ['no longer names a container', { currentContainerId: null, leaseEpoch: 8n }],
        ['was taken by another holder', { leaseEpoch: 9n }],
      ];
      test.each(changes)(
        'marking is refused when the record %s meanwhile, and no row is appended',
        async (_what, change) => {
          await harness.put(aRecord());
          const { record } = await take();
          await harness.put(aRecord(change));
          expect(await harness.records.markRemoved(record, anEntry())).toEqual({
            status: 'changed',
            record: aRecord(change),
          });
          expect(await harness.read()).toEqual(aRecord(change));
          expect(await harness.rows()).toEqual([]);
        },
      );

      test('marking is refused when a record without a container got one', async () => {
        await harness.put(aRecord({ currentContainerId: null }));
        const { record } = await take();
        await harness.put(aRecord({ leaseEpoch: 8n }));
        expect(await harness.records.markRemoved(record, anEntry())).toMatchObject({ status: 'changed' });
      });

      test('marking a record that was already removed reports that and appends no row', async () => {
        await harness.put(aRecord());
        const { record } = await take();
        await harness.records.markRemoved(record, anEntry());
        const removed = await harness.read();
        const again = await harness.records.markRemoved(record, anEntry({ jobId: '43' }));
        expect(again).toEqual({ status: 'already_removed', record: removed });
        expect(await harness.read()).toEqual(removed);
        expect(await harness.rows()).toHaveLength(1);
      });

      test('marking a record that has vanished reports that and appends no row', async () => {
        await harness.put(aRecord());
        const { record } = await take();
        await harness.put(undefined);
        expect(await harness.records.markRemoved(record, anEntry())).toEqual({ status: 'vanished' });
        expect(await harness.rows()).toEqual([]);
      });
    });
  });
}
