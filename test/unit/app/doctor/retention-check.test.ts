import { describe, expect, it } from 'vitest';
import { retentionFinding, scheduleFinding } from '../../../../src/app/doctor/retention-check.js';
import type { ScheduleStatus } from '../../../../src/retention/ports.js';
import type { RetentionSummary } from '../../../../src/retention/retention-service.js';
import { doneSweep, refusedSweep } from '../../../support/records.js';

const HOUR_MS = 3_600_000;
const now = new Date('2026-03-01T12:00:00Z');
const expected = { now, intervalMs: HOUR_MS };

const FINISHED = { finishedAt: '2026-03-01T11:30:00.000Z' };

const status = (over: Partial<ScheduleStatus> = {}): ScheduleStatus => ({
  everyMs: HOUR_MS,
  next: new Date('2026-03-01T12:30:00Z'),
  last: doneSweep(FINISHED),
  lastFailure: null,
  ...over,
});

const aSummary = (over: Partial<RetentionSummary>): RetentionSummary => ({
  asOf: new Date('2026-03-01T00:00:00Z'),
  running: 3,
  stopped: 10,
  removed: 7,
  due: 2,
  held: 0,
  deadLetters: 0,
  lagMs: HOUR_MS,
  retentionMs: 30 * 24 * HOUR_MS,
  refusal: null,
  ...over,
});

describe('scheduleFinding', () => {
  it('the schedule check reports ok while sweeps finish', () => {
    expect(scheduleFinding(status(), expected)).toEqual({
      status: 'ok',
      detail: 'every 1h, next 2026-03-01T12:30:00.000Z, last 2026-03-01T11:30:00.000Z (150 enqueued)',
    });
  });

  it('the schedule check warns before the first worker was started, because nothing is broken', () => {
    const finding = scheduleFinding(status({ everyMs: null, next: null, last: null }), expected);
    expect(finding).toMatchObject({ status: 'warn', advice: expect.stringContaining('runtime-cleanup serve') });
  });

  it('the schedule check reports ok before the first sweep is due', () => {
    expect(scheduleFinding(status({ last: null }), expected)).toMatchObject({
      status: 'ok',
      detail: expect.stringContaining('none has finished yet'),
    });
  });

  it.each([
    ['the first sweep never came', { last: null, next: new Date('2026-03-01T10:59:59Z') }],
    ['no sweep came for more than two intervals', { last: doneSweep({ finishedAt: '2026-03-01T09:59:59.000Z' }) }],
  ])('the schedule check fails when %s', (_situation, over) => {
    expect(scheduleFinding(status(over), expected)).toMatchObject({
      status: 'failed',
      detail: expect.stringContaining('no sweep finished within two intervals'),
      advice: expect.stringContaining('runtime-cleanup worker'),
    });
  });

  it('the schedule check fails when the last sweep was refused, and names the time of the next one', () => {
    expect(scheduleFinding(status({ last: refusedSweep(FINISHED) }), expected)).toEqual({
      status: 'failed',
      detail: 'the last sweep, at 2026-03-01T11:30:00.000Z, was refused: 150 of 200 were due',
      advice: 'see retention below; the next sweep decides again, at 2026-03-01T12:30:00.000Z',
    });
  });

  it('the schedule check warns when the newest sweep failed, but not when one has finished since', () => {
    const failedAt = (at: string) => status({ lastFailure: { at: new Date(at), reason: 'boom' } });
    expect(scheduleFinding(failedAt('2026-03-01T11:45:00Z'), expected)).toMatchObject({
      status: 'warn',
      detail: expect.stringContaining('the newest one failed at 2026-03-01T11:45:00.000Z: boom'),
    });
    expect(scheduleFinding(failedAt('2026-03-01T11:15:00Z'), expected)).toMatchObject({ status: 'ok' });
  });

  it('the schedule check warns when the workers have another interval', () => {
    expect(scheduleFinding(status(), { now, intervalMs: 300_000 })).toMatchObject({
      status: 'warn',
      detail: expect.stringContaining('RTMANAGER_CLEANUP_INTERVAL here is 5m'),
    });
  });
});

describe('retentionFinding', () => {
  it('the retention check reports the containers that are due and kept, and the lag', () => {
    expect(retentionFinding(aSummary({ held: 1, deadLetters: 4 }), HOUR_MS)).toEqual({
      status: 'ok',
      detail: '2 of 10 stopped containers are due, 1 held, 4 with a dead letter, lag 1 h',
    });
  });

  it.each([
    [2 * HOUR_MS, 'ok'],
    [2 * HOUR_MS + 1, 'warn'],
  ])('the retention check rates a lag of %i ms as %s when sweeps come hourly', (lagMs, expectedStatus) => {
    expect(retentionFinding(aSummary({ lagMs }), HOUR_MS).status).toBe(expectedStatus);
  });

  it('the retention check fails when a sweep would be refused, and advises the override', () => {
    expect(retentionFinding(aSummary({ refusal: 'too many; use --max-share 80%' }), HOUR_MS)).toMatchObject({
      status: 'failed',
      advice: 'too many; use --max-share 80%',
    });
  });
});
