import { describe, expect, test } from 'vitest';
import { InvalidPageError } from '../../../src/domain/errors.js';
import type { OperationEntry } from '../../../src/domain/operation.js';
import type { RecordQueries } from '../../../src/domain/record-queries.js';
import type { RuntimeRecord } from '../../../src/domain/runtime-record.js';
import { openForAllTests } from '../hooks.js';
import { allPages } from '../../support/calls.js';
import { anEntry, aRecord } from '../../support/records.js';

export interface QueriesHarness {
  readonly queries: RecordQueries;
  readonly put: (record: RuntimeRecord) => Promise<void>;
  /** Appends a row to the operation log. */
  readonly append: (entry: OperationEntry) => Promise<void>;
  /** Deletes all records and the log. */
  readonly clear: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** What every implementation of `RecordQueries` promises. */
export function recordQueriesContract(name: string, open: () => Promise<QueriesHarness>): void {
  describe(`record queries: ${name}`, () => {
    let harness: QueriesHarness;
    let queries: RecordQueries;
    openForAllTests(open, (opened) => {
      harness = opened;
      ({ queries } = harness);
    });

    describe('records', () => {
      const fill = async (count: number): Promise<void> => {
        for (let n = 1; n <= count; n += 1) await harness.put(aRecord({ gameId: `game-${n}` }));
      };

      test('a record is found by its game id, and an unknown game id finds no record', async () => {
        await harness.put(aRecord());
        expect(await queries.findRecord('game-1')).toEqual(aRecord());
        expect(await queries.findRecord('game-2')).toBeUndefined();
        expect(await queries.findRecord('game-\0')).toBeUndefined();
        expect(await queries.findRecord('game-\uD800')).toBeUndefined();
      });

      test('the pages contain all records in game id order, each exactly once', async () => {
        await fill(7);
        const pages = await allPages((after) => queries.listRecords({ after, limit: 3 }));
        expect(pages.map(({ items }) => items.map(({ gameId }) => gameId))).toEqual([
          ['game-1', 'game-2', 'game-3'],
          ['game-4', 'game-5', 'game-6'],
          ['game-7'],
        ]);
      });

      test('no empty page follows a last page that is full', async () => {
        await fill(4);
        expect(await allPages((after) => queries.listRecords({ after, limit: 2 }))).toHaveLength(2);
      });

      test('a listing of one status leaves the others out', async () => {
        await fill(3);
        await harness.put(aRecord({ gameId: 'game-2', status: 'removed', currentContainerId: null }));
        const { items } = await queries.listRecords({ status: 'stopped', limit: 10 });
        expect(items.map(({ gameId }) => gameId)).toEqual(['game-1', 'game-3']);
      });

      test.each([0, -1, 1.5, Number.NaN])('a limit of %s is refused', async (limit) => {
        await expect(queries.listRecords({ limit })).rejects.toBeInstanceOf(InvalidPageError);
        await expect(queries.listOperations({ limit })).rejects.toBeInstanceOf(InvalidPageError);
      });

      test('a cursor that is not a game id is refused', async () => {
        await expect(queries.listRecords({ after: 'a\0', limit: 1 })).rejects.toBeInstanceOf(InvalidPageError);
      });
    });

    describe('operations', () => {
      test('the pages of one game contain its rows, newest first', async () => {
        for (let attempt = 1; attempt <= 5; attempt += 1) await harness.append(anEntry({ attempt }));
        await harness.append(anEntry({ gameId: 'game-2', attempt: 99 }));
        const pages = await allPages((before) => queries.listOperations({ gameId: 'game-1', before, limit: 2 }));
        expect(pages.map(({ items }) => items.map(({ attempt }) => attempt))).toEqual([[5, 4], [3, 2], [1]]);
      });

      test('the pages without a game id contain the rows of all games, newest first', async () => {
        const games = ['game-1', 'game-2', '', 'game-1', 'a/b'];
        for (const gameId of games) await harness.append(anEntry({ gameId }));
        const pages = await allPages((before) => queries.listOperations({ before, limit: 2 }));
        expect(pages.map(({ items }) => items.map(({ gameId }) => gameId))).toEqual([
          ['a/b', 'game-1'],
          ['', 'game-2'],
          ['game-1'],
        ]);
      });

      test('an empty game id finds its rows, and a game id that cannot be stored finds none', async () => {
        for (const gameId of ['game-1', '']) await harness.append(anEntry({ gameId }));
        expect((await queries.listOperations({ gameId: '', limit: 9 })).items).toHaveLength(1);
        expect((await queries.listOperations({ gameId: 'a\0', limit: 9 })).items).toHaveLength(0);
      });

      test('a row shows every field of its entry', async () => {
        const entry = anEntry({ outcome: 'failure', errorCode: 'conflict', errorMessage: 'it runs' });
        await harness.append(entry);
        const { elapsedMs, ...shown } = entry;
        const { items } = await queries.listOperations({ gameId: 'game-1', limit: 10 });
        expect(items).toEqual([
          {
            ...shown,
            id: expect.stringMatching(/^\d+$/),
            startedAt: expect.any(Date),
            finishedAt: expect.any(Date),
          },
        ]);
        const [row] = items;
        expect((row?.finishedAt.getTime() ?? 0) - (row?.startedAt.getTime() ?? 0)).toBe(elapsedMs);
      });

      test.each(['', 'x', '-1', '1.5', '1e3', '9223372036854775808', '1; DROP TABLE'])(
        'the cursor "%s" is refused',
        async (before) => {
          const asked = queries.listOperations({ gameId: 'game-1', before, limit: 1 });
          await expect(asked).rejects.toBeInstanceOf(InvalidPageError);
        },
      );
    });
  });
}
