import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RuntimeRecords, TakenRecord } from '../../../src/cleanup/ports.js';
import type { OperationEntry } from '../../../src/domain/operation.js';
import type { RuntimeRecord } from '../../../src/domain/runtime-record.js';
import { anEntry, aRecord, OTHER_CONTAINER_ID } from '../../support/records.js';

/** The records under test and a way behind their back. The games of one harness are all called `game-1`. */
export interface RecordsHarness {
  readonly records: RuntimeRecords;
  /** Makes this the record of its game; undefined: there is none. */
  readonly put: (record: RuntimeRecord | undefined) => Promise<void>;
  readonly read: () => Promise<RuntimeRecord | undefined>;
  /** The operation log's rows, oldest first. */
  readonly rows: () => Promise<readonly Pick<OperationEntry, 'gameId' | 'outcome' | 'jobId'>[]>;
  /** Forgets records and log. */
  readonly clear: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** What every implementation of `RuntimeRecords` promises. */
export function describeRuntimeRecords(name: string, open: () => Promise<RecordsHarness>): void {
  describe(`runtime records: ${name}`, () => {
    let harness: RecordsHarness;
    beforeAll(async () => {
      harness = await open();
    });
    afterAll(() => harness.close());
    beforeEach(() => harness.clear());

    const take = async (): Promise<TakenRecord> => {
      const taken = await harness.records.take('game-1');
      if (taken === undefined) throw new Error('there is no record to take');
      return taken;
    };

    describe('taking', () => {
      test('a game without a record gives nothing', async () => {
        expect(await harness.records.take('game-1')).toBeUndefined();
      });

      test('a stopped record bumps its fence and returns the bumped one', async () => {
        await harness.put(aRecord({ leaseEpoch: 7n }));
        expect((await take()).record).toEqual(aRecord({ leaseEpoch: 8n }));
        expect(await harness.read()).toEqual(aRecord({ leaseEpoch: 8n }));
        expect((await take()).record.leaseEpoch).toBe(9n);
      });

      test.each(['running', 'removed'])('a %s record returns it unchanged', async (status) => {
        await harness.put(aRecord({ status }));
        expect((await take()).record).toEqual(aRecord({ status }));
        expect(await harness.read()).toEqual(aRecord({ status }));
      });
    });

    describe('marking as removed', () => {
      test('what was taken empties the container id, sets both times and appends the row', async () => {
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

      test('works for a record that names no container', async () => {
        await harness.put(aRecord({ currentContainerId: null }));
        const { record } = await take();
        expect(await harness.records.markRemoved(record, anEntry())).toMatchObject({ status: 'marked' });
      });

      const changes: readonly (readonly [string, Partial<RuntimeRecord>])[] = [
        ['was started again', { status: 'running', leaseEpoch: 8n }],
        ['names another container', { currentContainerId: OTHER_CONTAINER_ID, leaseEpoch: 8n }],
        ['names no container any more', { currentContainerId: null, leaseEpoch: 8n }],
        ['was taken by another holder', { leaseEpoch: 9n }],
      ];
      test.each(changes)('is refused for a record that %s meanwhile, and appends nothing', async (_what, change) => {
        await harness.put(aRecord());
        const { record } = await take();
        await harness.put(aRecord(change));
        expect(await harness.records.markRemoved(record, anEntry())).toEqual({
          status: 'changed',
          record: aRecord(change),
        });
        expect(await harness.read()).toEqual(aRecord(change));
        expect(await harness.rows()).toEqual([]);
      });

      test('is refused for a record that got a container where there was none', async () => {
        await harness.put(aRecord({ currentContainerId: null }));
        const { record } = await take();
        await harness.put(aRecord({ leaseEpoch: 8n }));
        expect(await harness.records.markRemoved(record, anEntry())).toMatchObject({ status: 'changed' });
      });

      test('a record that another service removed meanwhile is found removed, and nothing is appended', async () => {
        await harness.put(aRecord());
        const { record } = await take();
        await harness.records.markRemoved(record, anEntry());
        const removed = await harness.read();
        const again = await harness.records.markRemoved(record, anEntry({ jobId: '43' }));
        expect(again).toEqual({ status: 'already_removed', record: removed });
        expect(await harness.read()).toEqual(removed);
        expect(await harness.rows()).toHaveLength(1);
      });

      test('finds that the record vanished, and appends nothing', async () => {
        await harness.put(aRecord());
        const { record } = await take();
        await harness.put(undefined);
        expect(await harness.records.markRemoved(record, anEntry())).toEqual({ status: 'vanished' });
        expect(await harness.rows()).toEqual([]);
      });
    });
  });
}
