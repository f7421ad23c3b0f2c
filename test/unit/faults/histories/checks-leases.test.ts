import { describe, expect, test } from 'vitest';
import { checkLeases } from '../../../faults/experiments/histories/checks/checks-leases.js';
import type { History } from '../../../faults/experiments/histories/history.js';
import { GAME, note, NOTES, OTHER_WORKER, step, STEPS, WELL, WORKER } from './well.js';

const namesOf = (change: Partial<History>): readonly string[] => [
  ...new Set(checkLeases({ ...WELL, ...change }).map(({ check }) => check)),
];

const service = (fromMs: number, toMs: number) => ({
  gameId: GAME,
  askedNs: fromMs * 1e6,
  fromNs: fromMs * 1e6,
  toNs: toMs * 1e6,
});

interface Row {
  readonly what: string;
  readonly change: Partial<History>;
  readonly check: string;
}

const LEASES: readonly Row[] = [
  {
    what: 'the other service got the lease before the removal began',
    change: { tenures: [service(35, 100)] },
    check: 'one holder at a time',
  },
  {
    what: 'another worker got the lease before the record was changed',
    change: {
      steps: [
        ...STEPS,
        step(52, 'lease acquire', 'start', { pid: OTHER_WORKER }),
        step(53, 'lease acquire', 'end', { pid: OTHER_WORKER, said: true }),
      ],
    },
    check: 'one holder at a time',
  },
  {
    what: 'a worker removes without a lease',
    change: { steps: STEPS.filter(({ step }) => step !== 'lease acquire') },
    check: 'one holder at a time',
  },
  {
    what: 'two workers take the record with the same fence',
    change: {
      steps: [...STEPS, step(32, 'take runtime_records', 'end', { pid: OTHER_WORKER, said: 'stopped', fence: '1' })],
    },
    check: 'no fence twice',
  },
  {
    what: 'the fence falls',
    change: { notes: [...NOTES, note(70, { was: 'removed', became: 'running', fence: '0' })] },
    check: 'no fence twice',
  },
  {
    what: 'the other service took the record since, and the worker changed it',
    change: {
      notes: NOTES.map((one) => (one.kind === 'record' && one.became === 'removed' ? { ...one, fence: '2' } : one)),
    },
    check: 'the newest fence wins',
  },
  {
    what: 'another worker took the record since, and this one changed it',
    change: {
      notes: NOTES.map((one) => (one.kind === 'record' && one.became === 'removed' ? { ...one, fence: '2' } : one)),
      steps: [
        ...STEPS.map((seen) => (seen.said === 'marked' && seen.pid === WORKER ? { ...seen, fence: '2' } : seen)),
        step(45, 'take runtime_records', 'end', { pid: OTHER_WORKER, said: 'stopped', fence: '2' }),
      ],
    },
    check: 'the newest fence wins',
  },
  {
    what: 'a token is used twice',
    change: {
      notes: [...NOTES, note(20, { kind: 'lease', was: 'token' }), note(30, { kind: 'lease', was: 'token' })],
    },
    check: 'no token twice',
  },
];

test.each(LEASES.map((row) => [row.what, row] as const))('a violation is found: %s', (_what, { change, check }) => {
  expect(namesOf(change)).toEqual([check]);
});

describe('an allowed lease', () => {
  test.each<readonly [what: string, change: Partial<History>]>([
    [
      'a lease that was requested before this worker had it, and answered late',
      {
        steps: [
          ...STEPS,
          step(5, 'lease acquire', 'start', { pid: OTHER_WORKER }),
          step(35, 'lease acquire', 'end', { pid: OTHER_WORKER, said: true }),
        ],
      },
    ],
    ['another service that had the lease before', { tenures: [service(1, 8)] }],
    ['another service that had the lease after', { tenures: [service(70, 80)] }],
  ])('no violation is found: %s', (_what, change) => {
    expect(namesOf(change)).toEqual([]);
  });
});
