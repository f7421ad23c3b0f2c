import { beforeEach, describe, expect, test } from 'vitest';
import { InvalidPageError } from '../../../src/domain/errors.js';
import type { RuntimeRecord } from '../../../src/domain/runtime-record.js';
import type { Hold } from '../../../src/retention/holds.js';
import type { SweepLock } from '../../../src/retention/ports.js';
import type { Judgement } from '../../../src/retention/judge-record.js';
import type { Retention } from '../../../src/retention/retention-service.js';
import { openForAllTests } from '../hooks.js';
import type { RetentionSettings } from '../../support/fakes/retention.js';
import type { FakeJob } from '../../support/fakes/state.js';
import { allPages } from '../../support/calls.js';
import { aHold, aRecord, CONTAINER_ID } from '../../support/records.js';

export interface RetentionHarness {
  readonly retention: Retention;
  /** The lock under which its sweeps run. */
  readonly lock: SweepLock;
  /** By the clock of the records' store. */
  readonly now: () => Promise<Date>;
  readonly put: (record: RuntimeRecord) => Promise<void>;
  readonly hold: (hold: Hold) => Promise<void>;
  /** Makes a failed cleanup of the game; resolves to its id. */
  readonly addDeadLetter: (gameId: string, code: string) => Promise<string>;
  /** The jobs of the queue in the order in which they were added. */
  readonly jobs: () => readonly FakeJob[];
  /** Deletes all records, holds and jobs. */
  readonly clear: () => Promise<void>;
  readonly close: () => Promise<void>;
}

const HOUR_MS = 3_600_000;
const { signal } = new AbortController();

/** What `open` must set, so that the contract can tell what is due. */
export const RETENTION_UNDER_TEST: RetentionSettings = { retentionMs: 24 * HOUR_MS, maxShare: 0.5 };

/** What every implementation of `Retention` promises. */
export function retentionContract(name: string, open: () => Promise<RetentionHarness>): void {
  describe(`retention: ${name}`, () => {
    let harness: RetentionHarness;
    let retention: Retention;
    let nowMs: number;
    openForAllTests(open, (opened) => {
      harness = opened;
      ({ retention } = harness);
    });
    beforeEach(async () => {
      nowMs = (await harness.now()).getTime();
    });

    const hoursAgo = (hours: number): Date => new Date(nowMs - hours * HOUR_MS);
    const put = (gameId: string, hours: number, over: Partial<RuntimeRecord> = {}) =>
      harness.put(aRecord({ gameId, stoppedAt: hoursAgo(hours), ...over }));

    /** One record for each verdict. */
    async function fill(): Promise<{ readonly deadLetter: string }> {
      await put('due', 25);
      await put('due-long', 49, { stoppedAt: null, lastOpAt: hoursAgo(49) });
      await put('not-due', 23);
      await put('held', 30);
      await harness.hold(aHold({ gameId: 'held' }));
      await put('was-held', 31);
      await harness.hold(aHold({ gameId: 'was-held', heldUntil: hoursAgo(1) }));
      await put('dead', 32);
      await put('no id ', 33);
      await put('runs', 99, { status: 'running' });
      await put('gone', 99, { status: 'removed', currentContainerId: null });
      return { deadLetter: await harness.addDeadLetter('dead', 'conflict') };
    }

    const planPages = (includeNotDue: boolean, limit: number) =>
      allPages((after) => retention.plan({ includeNotDue, after, limit }));

    const verdicts = (judgements: readonly Judgement[]): readonly (readonly [string, string])[] =>
      judgements.map(({ gameId, verdict }) => [gameId, verdict]);

    const PAST_DUE = [
      ['due-long', 'due'],
      ['no id ', 'invalid_id'],
      ['dead', 'dead_letter'],
      ['was-held', 'due'],
      ['held', 'held'],
      ['due', 'due'],
    ];

    describe('the plan', () => {
      test.each([1, 4, 100])(
        'a plan with pages of %i lists the past due records with verdicts, oldest first',
        async (limit) => {
          await fill();
          const pages = await planPages(false, limit);
          expect(verdicts(pages.flatMap(({ items }) => items))).toEqual(PAST_DUE);
          expect(pages.every(({ items }) => items.length <= limit)).toBe(true);
          // All pages are judged by the moment of the first.
          expect(new Set(pages.map(({ asOf }) => asOf.getTime())).size).toBe(1);
        },
      );

      test('a plan also lists records that are not due yet when asked', async () => {
        await fill();
        const [page] = await planPages(true, 100);
        expect(verdicts(page?.items ?? [])).toEqual([...PAST_DUE, ['not-due', 'not_due']]);
      });

      test('a plan is empty without records', async () => {
        expect(await retention.plan({ includeNotDue: true, limit: 10 })).toMatchObject({ items: [], next: null });
      });

      test.each([0, -1, 1.5, Number.NaN])('a plan with a limit of %s is refused', async (limit) => {
        const asked = retention.plan({ includeNotDue: true, limit });
        await expect(asked).rejects.toBeInstanceOf(InvalidPageError);
      });

      test.each(['', 'x; DROP', Buffer.from('[1,2]').toString('base64url')])(
        'a plan with the cursor %j is refused',
        async (after) => {
          const asked = retention.plan({ includeNotDue: true, after, limit: 1 });
          await expect(asked).rejects.toBeInstanceOf(InvalidPageError);
        },
      );
    });

    describe('the judgement of single games', () => {
      test('a judgement states what the sweep does with each game, and leaves unknown games out', async () => {
        const { deadLetter } = await fill();
        const judged = await retention.judge(['held', 'dead', 'runs', 'gone', 'not-due', 'unknown', 'a\0']);
        expect(new Map(verdicts([...judged.values()]))).toEqual(
          new Map([
            ['dead', 'dead_letter'],
            ['gone', 'removed'],
            ['held', 'held'],
            ['not-due', 'not_due'],
            ['runs', 'running'],
          ]),
        );
        expect(judged.get('dead')).toMatchObject({ dueAt: null, deadLetter: { jobId: deadLetter, code: 'conflict' } });
        expect(judged.get('held')).toMatchObject({ dueAt: null, hold: aHold({ gameId: 'held' }) });
        expect(judged.get('not-due')).toEqual({
          gameId: 'not-due',
          status: 'stopped',
          containerId: CONTAINER_ID,
          verdict: 'not_due',
          stoppedSince: hoursAgo(23),
          dueAt: hoursAgo(-1),
          hold: null,
          deadLetter: null,
        });
      });
    });

    test('the summary counts records by status, and due records apart from kept ones', async () => {
      await fill();
      const { asOf, lagMs, ...counts } = await retention.summary();
      expect(counts).toEqual({
        running: 1,
        stopped: 7,
        removed: 1,
        due: 3,
        held: 1,
        deadLetters: 1,
        retentionMs: RETENTION_UNDER_TEST.retentionMs,
        refusal: null,
      });
      // The oldest due record was stopped for 49 hours when the test began, and its retention is 24.
      expect(lagMs - (asOf.getTime() - nowMs)).toBe(25 * HOUR_MS);
    });

    describe('a sweep', () => {
      test('a sweep requests the due cleanups once, oldest first, and reports what it kept', async () => {
        await fill();
        const progress: number[] = [];
        const onProgress = ({ done }: { readonly done: number }) => void progress.push(done);
        const first = await retention.sweep({ signal, onProgress });
        const kept = { held: 1, dead_letter: 1, invalid_id: 1 };
        expect(first).toMatchObject({ status: 'done', planned: 3, enqueued: 3, coalesced: 0, failed: 0, kept });
        expect(progress.at(-1)).toBe(3);
        expect(await retention.sweep({ signal })).toMatchObject({ status: 'done', enqueued: 0, coalesced: 3 });
        const live = harness.jobs().filter(({ state }) => state === 'waiting');
        expect(live.map(({ data }) => data)).toEqual(
          ['due-long', 'was-held', 'due'].map((gameId) => ({ gameId, opSource: 'auto_ttl' })),
        );
      });

      test('a sweep of too large a share of the records is refused and enqueues nothing', async () => {
        for (let n = 0; n < 10; n += 1) await put(`game-${n}`, n < 6 ? 25 : 1);
        const refused = await retention.sweep({ signal });
        expect(refused).toMatchObject({ status: 'refused', stopped: 10, planned: 6, maxShare: 0.5 });
        expect((await retention.summary()).refusal).toContain('6 of 10');
        expect(harness.jobs()).toEqual([]);
        expect(await retention.sweep({ signal, maxShare: 0.6 })).toMatchObject({ status: 'done', enqueued: 6 });
      });

      test('a sweep during another sweep reports busy and enqueues nothing', async () => {
        await fill();
        const before = harness.jobs().length;
        const inner = await harness.lock.exclusively(() => retention.sweep({ signal }));
        expect(inner).toEqual({ status: 'busy' });
        expect(harness.jobs()).toHaveLength(before);
      });

      test('a sweep with an aborted signal rejects with its reason and enqueues nothing', async () => {
        await put('due', 25);
        const aborted = AbortSignal.abort(new RangeError('enough'));
        await expect(retention.sweep({ signal: aborted })).rejects.toThrow('enough');
        expect(harness.jobs()).toEqual([]);
      });
    });
  });
}
