import { expect, it } from 'vitest';
import { sweepProblem } from '../../../src/retention/health.js';
import type { FinishedSweep, ScheduleStatus } from '../../../src/retention/ports.js';
import { doneSweep, refusedSweep } from '../../support/records.js';
import { fromNow, NOW } from './cases.js';

const HOUR_MS = 3_600_000;
const doneAgo = (ms: number): FinishedSweep => doneSweep({ finishedAt: fromNow(-ms).toISOString() });
const refused = refusedSweep({ reason: '151 of 200' });
const failure = { at: fromNow(-HOUR_MS), reason: 'service_unavailable: no database' };

const WELL = /^well$/;
const rows: readonly [situation: string, Partial<ScheduleStatus>, watchedForMs: number, problem: RegExp][] = [
  ['a sweep finished just now', { last: doneAgo(0) }, 9 * HOUR_MS, WELL],
  ['a sweep finished exactly two intervals ago', { last: doneAgo(2 * HOUR_MS) }, 9 * HOUR_MS, WELL],
  [
    'a sweep finished a millisecond more than two intervals ago',
    { last: doneAgo(2 * HOUR_MS + 1) },
    9 * HOUR_MS,
    /^no sweep finished within two intervals of 3600 s, the last one at 2026-06-15T09:59:59\.999Z$/,
  ],
  ['an old sweep, but a process that has just started', { last: doneAgo(900 * HOUR_MS) }, 0, WELL],
  ['an old sweep and a process of two intervals', { last: doneAgo(900 * HOUR_MS) }, 2 * HOUR_MS, WELL],
  ['an old sweep and an older process', { last: doneAgo(900 * HOUR_MS) }, 2 * HOUR_MS + 1, /no sweep finished/],
  ['no sweep yet in a process that has just started', { last: null }, 0, WELL],
  ['no sweep at all for longer than two intervals', { last: null }, 2 * HOUR_MS + 1, /none has finished yet$/],
  [
    'no sweep, because they fail',
    { last: null, lastFailure: failure },
    3 * HOUR_MS,
    /none has finished yet; one failed at 2026-06-15T11:00:00\.000Z: service_unavailable: no database$/,
  ],
  ['a failure before a finished sweep', { last: doneAgo(HOUR_MS), lastFailure: failure }, 9 * HOUR_MS, WELL],
  ['a refused sweep in a process that has just started', { last: refused }, 0, /enqueued nothing: 151 of 200$/],
  ['a sweep that finished in the future', { last: doneAgo(-HOUR_MS) }, 9 * HOUR_MS, WELL],
  ['an invalid finish time', { last: doneSweep({ finishedAt: 'yesterday' }) }, 9 * HOUR_MS, /none has finished yet$/],
  ['no schedule', { everyMs: null, last: doneAgo(0) }, 0, /there is no schedule/],
];

it.each(rows)('the health of sweeps is judged by the schedule: %s', (_situation, over, watchedForMs, problem) => {
  const status: ScheduleStatus = { everyMs: HOUR_MS, next: null, last: null, lastFailure: null, ...over };
  const found = sweepProblem(status, { now: NOW, intervalMs: HOUR_MS, watchedSince: fromNow(-watchedForMs) });
  expect(found ?? 'well').toMatch(problem);
});
