import { describe, expect, it } from 'vitest';
import type { SweepReport, SweepSchedule } from '../../../src/retention/ports.js';
import { doneSweep, refusedSweep } from '../../support/records.js';
import { type Harnesses, openForEachTest } from '../hooks.js';

/** The port over an empty queue of sweeps, and direct access to that queue. */
interface ScheduleHarness {
  readonly schedule: SweepSchedule;
  readonly makeSchedule: (everyMs: number) => Promise<void>;
  /** A sweep's job completes with this report. */
  readonly completeSweep: (report: SweepReport) => Promise<void>;
  /** A sweep's job fails for good. */
  readonly failSweep: (reason: string) => Promise<void>;
  readonly close: () => Promise<void>;
}

const HOUR_MS = 3_600_000;
const DONE = doneSweep();

/** What every implementation of `SweepSchedule` promises. */
export function sweepScheduleContract(name: string, start: () => Promise<Harnesses<ScheduleHarness>>): void {
  describe(`sweep schedule: ${name}`, () => {
    let harness: ScheduleHarness;
    openForEachTest(start, (opened) => {
      harness = opened;
    });

    it('the status is empty before there is a schedule', async () => {
      expect(await harness.schedule.status()).toEqual({ everyMs: null, next: null, last: null, lastFailure: null });
    });

    it('the status shows the interval and the time of the next sweep', async () => {
      await harness.makeSchedule(HOUR_MS);
      expect(await harness.schedule.status()).toEqual({
        everyMs: HOUR_MS,
        next: expect.any(Date),
        last: null,
        lastFailure: null,
      });
    });

    it.each([['done', DONE] as const, ['refused', refusedSweep()] as const])(
      'the status shows the newest report of a finished sweep (%s)',
      async (_status, report) => {
        await harness.completeSweep({ ...DONE, enqueued: 1 });
        await harness.completeSweep(report);
        expect(await harness.schedule.status()).toMatchObject({ last: report, lastFailure: null });
      },
    );

    it('the status ignores a sweep that found another sweep running', async () => {
      await harness.completeSweep(DONE);
      await harness.completeSweep({ status: 'busy' });
      expect(await harness.schedule.status()).toMatchObject({ last: DONE });
    });

    it('the status shows the newest failure beside the newest report', async () => {
      await harness.completeSweep(DONE);
      await harness.failSweep('the first');
      await harness.failSweep('the database is unavailable');
      expect(await harness.schedule.status()).toMatchObject({
        last: DONE,
        lastFailure: { at: expect.any(Date), reason: 'the database is unavailable' },
      });
    });
  });
}
