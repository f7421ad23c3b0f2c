import { expect, it } from 'vitest';
import { type AdminParts, readFacts } from '../../../../../src/adapters/http/admin/load-dashboard.js';
import { createSoon } from '../../../../../src/adapters/http/request-timeouts.js';
import { UnavailableError } from '../../../../../src/domain/errors.js';
import { createManualClock } from '../../../../support/manual-clock.js';
import { aLetter, anOperation, someFacts } from './admin-facts.js';

const valueOf = <T>(read: { readonly value: T } | { readonly missing: string }): T => {
  if ('missing' in read) throw new Error(read.missing);
  return read.value;
};

function someParts(over: Partial<AdminParts> = {}) {
  const clock = createManualClock();
  const facts = someFacts();
  const unused = async (): Promise<never> => Promise.reject(new Error('the page does not ask for this'));
  const parts: AdminParts = {
    clock,
    records: {
      listRecords: unused,
      findRecord: unused,
      listOperations: async ({ limit }) => ({ items: Array.from({ length: limit }, () => anOperation()), next: '1' }),
    },
    retention: { plan: unused, judge: unused, sweep: unused, summary: async () => valueOf(facts.summary) },
    schedule: { status: async () => valueOf(facts.schedule) },
    countJobs: async () => valueOf(facts.jobs),
    deadLetters: {
      list: async ({ limit }) => ({ items: Array.from({ length: limit }, () => aLetter()), next: 'x' }),
      countByCode: async () => ({ conflict: 3 }),
      find: unused,
      replay: unused,
      purge: unused,
      replayAll: unused,
      purgeAll: unused,
      close: unused,
    },
    checkReadiness: async () => facts.checks,
    ...over,
  };
  return { clock, parts, read: () => readFacts(parts, createSoon(clock)) };
}

it('asks for everything, and of what may be much only for the newest', async () => {
  const { read } = someParts();
  const facts = await read();
  expect(valueOf(facts.operations)).toHaveLength(20);
  expect(valueOf(facts.letters)).toHaveLength(10);
  expect(facts).toMatchObject({ codes: { value: { conflict: 3 } }, jobs: { value: { active: 4 } } });
});

it('says of each part why it cannot be read, and reads the others', async () => {
  const { parts, clock, read } = someParts();
  const away = async (): Promise<never> => Promise.reject(new UnavailableError('queue', 'Redis is away'));
  const hang = (): Promise<never> => new Promise(() => undefined);
  const reading = readFacts(
    {
      ...parts,
      countJobs: away,
      deadLetters: { ...parts.deadLetters, countByCode: away },
      schedule: { status: hang },
    },
    createSoon(clock),
  );
  let isRead = false;
  void reading.then(() => (isRead = true));
  await clock.advance(899);
  expect(isRead).toBe(false);
  await clock.advance(1);
  const facts = await reading;
  expect(facts.jobs).toEqual({ missing: 'Redis is away' });
  expect(facts.codes).toEqual({ missing: 'Redis is away' });
  expect(facts.schedule).toEqual({ missing: expect.stringContaining('900 ms') });
  expect(facts.summary).toEqual((await read()).summary);
});
