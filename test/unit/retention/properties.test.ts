import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judge } from '../../../src/retention/judge-record.js';
import type { Judgement } from '../../../src/retention/judge-record.js';
import { NOW, RETENTION_MS } from './cases.js';
import { type Population, population } from './populations.js';
import { allPages } from '../../support/calls.js';
import { recordAt } from '../../support/fakes/retention-records.js';
import { createWorld, type RetentionWorld } from './retention-world.js';

const signal = new AbortController().signal;

/** The games that are due when each record is judged alone. */
const dueByJudge = ({ rows, dead }: Population): readonly string[] =>
  rows
    .map((row) => judge({ record: recordAt(row, NOW), deadLetter: dead.get(row.gameId) ?? null }, RETENTION_MS))
    .filter(({ verdict }) => verdict === 'due')
    .map(({ gameId }) => gameId);

async function pages({ retention }: RetentionWorld, includeNotDue: boolean, limit: number) {
  const found = await allPages((after) => retention.plan({ includeNotDue, after, limit }));
  for (const { asOf } of found) expect(asOf).toEqual(NOW);
  return found.map(({ items }) => items);
}

const isDue = ({ verdict }: Judgement): boolean => verdict === 'due';
const idOf = ({ gameId }: Judgement): string => gameId;
const sorted = (ids: Iterable<string>): string[] => [...ids].toSorted();

describe('retention of any records', () => {
  it('a sweep enqueues the due records of the plan, oldest first, or enqueues nothing', async () => {
    await fc.assert(
      fc.asyncProperty(population, fc.constantFrom(0.1, 0.5, 0.9, 1), async (facts, maxShare) => {
        const world = createWorld(facts.rows, { dead: facts.dead, maxShare });
        const planned = (await pages(world, false, 1_000)).flat().filter(isDue).map(idOf);
        expect(sorted(planned)).toEqual(sorted(dueByJudge(facts)));

        const summary = await world.retention.summary();
        const report = await world.retention.sweep({ signal });

        const stopped = facts.rows.filter(({ status }) => status === 'stopped').length;
        const isRefused = stopped >= 10 && planned.length > stopped * maxShare;
        expect(report).toMatchObject({ status: isRefused ? 'refused' : 'done', stopped, planned: planned.length });
        expect(world.live()).toEqual(isRefused ? [] : planned);
        expect(summary).toMatchObject({ due: planned.length, stopped });
        expect(summary.refusal !== null).toBe(isRefused);
      }),
    );
  });

  it('a second sweep of the same moment adds nothing', async () => {
    await fc.assert(
      fc.asyncProperty(population, async (facts) => {
        const world = createWorld(facts.rows, { dead: facts.dead, maxShare: 1 });
        const first = await world.retention.sweep({ signal });
        const second = await world.retention.sweep({ signal });
        expect(second).toMatchObject({ enqueued: 0, coalesced: first.status === 'done' ? first.enqueued : -1 });
      }),
      { numRuns: 30 },
    );
  });

  it('the joined pages of the plan equal the whole plan for every page size', async () => {
    await fc.assert(
      fc.asyncProperty(
        population,
        fc.boolean(),
        fc.integer({ min: 1, max: 50 }),
        async (facts, includeNotDue, limit) => {
          const world = createWorld(facts.rows, { dead: facts.dead });
          const whole = (await pages(world, includeNotDue, 1_000)).flat();
          const parts = await pages(world, includeNotDue, limit);
          expect(parts.flat()).toEqual(whole);
          expect(parts.slice(0, -1).every((page) => page.length === limit)).toBe(true);
        },
      ),
    );
  });

  it('the judgement of single games equals that of the plan', async () => {
    await fc.assert(
      fc.asyncProperty(population, async (facts) => {
        const { retention } = createWorld(facts.rows, { dead: facts.dead });
        const { items } = await retention.plan({ includeNotDue: true, limit: 1_000 });
        const judged = await retention.judge([...items.map(idOf), 'an unknown game']);
        expect([...judged.values()].toSorted(byId)).toEqual([...items].toSorted(byId));
      }),
      { numRuns: 30 },
    );
  });
});

const byId = (a: Judgement, b: Judgement): number => (a.gameId < b.gameId ? -1 : 1);
