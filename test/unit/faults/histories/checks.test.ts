import { describe, expect, test } from 'vitest';
import { checkHistory } from '../../../faults/experiments/histories/checks/checks.js';
import type { History } from '../../../faults/experiments/histories/history.js';
import {
  at,
  CONTAINER,
  dead,
  GAME,
  job,
  note,
  NOTES,
  OTHER_WORKER,
  step,
  STEPS,
  STRANGER,
  WELL,
  WORKER,
} from './well.js';

const namesOf = (change: Partial<History>): readonly string[] => [
  ...new Set(checkHistory({ ...WELL, ...change }).map(({ check }) => check)),
];

const request = (method: string, url: string) => ({ method, url, nth: 1, fault: null, engineStatus: 204 });
const event = (ms: number, action: string) => ({ at: at(ms), action, containerId: CONTAINER, gameId: GAME });
const standing = {
  gameId: GAME,
  status: 'stopped',
  containerId: CONTAINER,
  container: 'created',
  isDue: true,
  isHeld: false,
};
const withRecord = (change: object) => [{ ...standing, ...change }];

const run = (ms: number, jobId: string, at: 'start' | 'end', pid: number) =>
  step(ms, 'job run', at, { pid, facts: { 'job.id': jobId } });

/** Job 2 finds the game's lease taken, in a run from `fromMs` to `toMs`; job 1 is at work from 10 to 70 ms, or is killed at 70. */
const refusedBeside = (fromMs: number, toMs: number, { killed = false } = {}): Partial<History> => {
  const atWork = [run(10, '1', 'start', WORKER), ...(killed ? [] : [run(70, '1', 'end', WORKER)])];
  const refused = [run(fromMs, '2', 'start', OTHER_WORKER), run(toMs, '2', 'end', OTHER_WORKER)];
  const row = { kind: 'operation', was: 'failure', became: 'conflict', jobId: '2', fence: null } as const;
  return {
    steps: [...STEPS, ...atWork, ...refused],
    notes: [...NOTES, note((fromMs + toMs) / 2, row)],
    jobsSettled: [job(), { ...dead('conflict: another operation holds the lease of this game'), id: '2' }],
  };
};

test('a correct history violates nothing', () => {
  expect(checkHistory(WELL)).toEqual([]);
});

interface Row {
  readonly what: string;
  readonly change: Partial<History>;
  readonly check: string;
}

const CONTAINERS: readonly Row[] = [
  {
    what: 'a running container is killed without a request',
    change: { events: [event(1, 'start'), event(44, 'kill'), event(45, 'destroy')] },
    check: 'no running container was ended',
  },
  {
    what: 'a foreign container is gone',
    change: { strangers: [{ containerId: STRANGER, what: 'a stranger', was: 'created', is: 'missing' }] },
    check: 'no stranger was touched',
  },
  {
    what: 'the removal of a foreign container is requested',
    change: { requests: [request('DELETE', `/containers/${STRANGER}?v=true`)] },
    check: 'no stranger was touched',
  },
  {
    what: 'a container is named by the beginning of its id',
    change: { requests: [request('GET', `/containers/${CONTAINER.slice(0, 12)}/json`)] },
    check: 'containers are named by full id',
  },
  {
    what: 'a removal is forced',
    change: { requests: [request('DELETE', `/containers/${CONTAINER}?force=true&v=true`)] },
    check: 'no removal is forced',
  },
  {
    what: 'the record became removed before its container was removed',
    change: { events: [event(0, 'create'), event(400, 'destroy')] },
    check: 'removed means gone',
  },
  {
    what: 'the record is removed and its container is there',
    change: { afterSweep: withRecord({ status: 'removed', isDue: false }), beforeSweep: [] },
    check: 'removed means gone',
  },
];

const JOBS: readonly Row[] = [
  { what: 'the jobs never end', change: { settled: false }, check: 'the world settles' },
  { what: 'a job is lost', change: { jobsAtLast: [job({ state: 'missing' })] }, check: 'every job ends' },
  { what: 'a job is stuck', change: { jobsAtLast: [job({ state: 'active' })] }, check: 'every job ends' },
  {
    what: 'an outage makes a dead letter',
    change: { jobsSettled: [dead('service_unavailable: the engine does not answer')] },
    check: 'a dead letter has its cause',
  },
  {
    what: 'a dead letter has no code',
    change: { jobsAtLast: [dead('job stalled more than allowable limit')] },
    check: 'a dead letter has its cause',
  },
  {
    what: 'a stopped game is in conflict',
    change: { jobsSettled: [dead('conflict: the runtime is running')] },
    check: 'a dead letter has its cause',
  },
  {
    what: 'a job finds the lease taken while no other job of its game is at work',
    change: refusedBeside(80, 90),
    check: 'a dead letter has its cause',
  },
  {
    what: 'a job finds the lease taken when that of a killed worker has run out',
    change: refusedBeside(3_000, 3_100, { killed: true }),
    check: 'a dead letter has its cause',
  },
  {
    what: 'a job reports that its game runs while another job of that game is at work',
    change: {
      ...refusedBeside(30, 40),
      jobsSettled: [job(), { ...dead('conflict: the runtime is running'), id: '2' }],
    },
    check: 'a dead letter has its cause',
  },
  {
    what: 'two jobs of a game find its lease taken, and it has no holder',
    change: {
      ...refusedBeside(30, 40),
      notes: [
        ...(refusedBeside(30, 40).notes ?? []),
        note(45, { kind: 'operation', was: 'failure', became: 'conflict', jobId: '1', fence: null }),
      ],
    },
    check: 'a dead letter has its cause',
  },
  {
    what: 'a stopped game is still in conflict when its dead letter is replayed',
    change: {
      games: [{ gameId: GAME, situation: 'running', containerId: CONTAINER }],
      jobsAtLast: [dead('conflict: the runtime is running')],
    },
    check: 'a dead letter has its cause',
  },
  {
    what: 'a job reports success, but has no row',
    change: { jobsAtLast: [job({ id: '2' })], accepted: [] },
    check: 'a completed job did what it says',
  },
  {
    what: "a person's job is completed by a refusal",
    change: { jobsAtLast: [job({ result: { outcome: 'failure', errorCode: 'conflict' } })] },
    check: 'a completed job did what it says',
  },
];

const RECORDS: readonly Row[] = [
  {
    what: 'a transition has no row',
    change: { notes: NOTES.filter(({ kind }) => kind !== 'operation'), accepted: [], jobsAtLast: [] },
    check: 'one row with each transition',
  },
  {
    what: 'the row is written by another transaction',
    change: { notes: NOTES.map((one) => (one.kind === 'operation' ? { ...one, txid: 'another' } : one)) },
    check: 'one row with each transition',
  },
  {
    what: 'a success row is written twice',
    change: { notes: [...NOTES, ...NOTES.slice(-1)] },
    check: 'one row with each transition',
  },
  {
    what: 'a running game becomes removed',
    change: { notes: [...NOTES, note(70, { was: 'running', became: 'removed', fence: '1' })] },
    check: 'only what is stopped becomes removed',
  },
  {
    what: 'the last sweep leaves a due record',
    change: { beforeSweep: [standing], afterSweep: [standing] },
    check: 'nothing due is forgotten',
  },
  {
    what: 'the last sweep takes a held record',
    change: {
      beforeSweep: withRecord({ isHeld: true }),
      afterSweep: withRecord({ status: 'removed', isHeld: true, container: 'missing' }),
    },
    check: 'what is not due is kept',
  },
];

describe.each([
  ['containers', CONTAINERS],
  ['jobs', JOBS],
  ['records', RECORDS],
] as const)('the checks of %s', (_area, rows) => {
  test.each(rows.map((row) => [row.what, row] as const))('a violation is found: %s', (_what, { change, check }) => {
    expect(namesOf(change)).toEqual([check]);
  });
});

describe('an allowed history', () => {
  test.each<readonly [what: string, change: Partial<History>]>([
    [
      'a requested stop',
      {
        events: [event(1, 'start'), event(30, 'kill'), event(30, 'die'), event(45, 'destroy')],
        asked: [{ containerId: CONTAINER, what: 'stop', at: at(29) }],
      },
    ],
    [
      "a sweep's job that was refused, although a person requested it while it ran",
      { jobsAtLast: [job({ result: { outcome: 'failure', errorCode: 'conflict' } })], accepted: [] },
    ],
    ['a purged job', { jobsAtLast: [job({ state: 'missing' })], purged: ['1'] }],
    [
      'a conflict of a game that ran',
      {
        games: [{ gameId: GAME, situation: 'running', containerId: CONTAINER }],
        jobsSettled: [dead('conflict: the runtime is running')],
      },
    ],
    ['a job that finds the lease with another job of its game', refusedBeside(30, 40)],
    ['a job that finds the lease of a killed worker', refusedBeside(500, 600, { killed: true })],
    [
      'a due record whose cleanup is a dead letter with its cause',
      {
        games: [{ gameId: GAME, situation: 'foreign', containerId: CONTAINER }],
        jobsAtLast: [dead('container_mismatch: another game')],
        beforeSweep: [standing],
        afterSweep: [standing],
      },
    ],
  ])('no violation is found: %s', (_what, change) => {
    expect(namesOf(change)).toEqual([]);
  });
});
