import { DelayedError, UnrecoverableError } from 'bullmq';
import { beforeEach, describe, expect, it } from 'vitest';
import { createSweepProcessor } from '../../../../../src/adapters/bullmq/sweeps/sweep-processor.js';
import type { SweepReport } from '../../../../../src/retention/ports.js';
import { createRecordingReport, type RecordingReport } from '../../../../support/queue/queue-report.js';
import { NOTHING_DUE, untilAborted } from '../../../../support/queue/queue-scripts.js';

describe('the processor of sweeps', () => {
  let report: RecordingReport;
  let handedBack: unknown[];
  let bull: AbortController;

  const run = (sweep: (signal: AbortSignal) => Promise<SweepReport>, name = 'sweep') => {
    const moveToWait = async (token?: string): Promise<number> => handedBack.push(token);
    return createSweepProcessor({ sweep, report })({ id: '7', name, moveToWait }, 'token', bull.signal);
  };

  beforeEach(() => {
    report = createRecordingReport();
    handedBack = [];
    bull = new AbortController();
  });

  it('the sweep processor declares three parameters, because BullMQ creates no signal for fewer', () => {
    expect(createSweepProcessor({ sweep: untilAborted, report })).toHaveLength(3);
  });

  it('the processor returns the report of a sweep, even after a late stop', async () => {
    const done = run(async () => {
      bull.abort('shutdown');
      return NOTHING_DUE;
    });
    expect(await done).toEqual(NOTHING_DUE);
    expect(handedBack).toEqual([]);
  });

  it('the processor hands a sweep back when the worker shuts down', async () => {
    const done = run(untilAborted);
    bull.abort('shutdown');
    await expect(done).rejects.toBeInstanceOf(DelayedError);
    expect(handedBack).toEqual(['token']);
    expect(report.lines).toEqual([]);
  });

  it('the processor writes nothing for a sweep whose lock was lost, and reports the loss', async () => {
    const done = run(untilAborted);
    bull.abort('lock lost');
    await expect(done).rejects.toBeInstanceOf(DelayedError);
    expect(handedBack).toEqual([]);
    expect(report.lines).toEqual(['lockLost: 7']);
  });

  it('a failed sweep is left to the retry of BullMQ, with storable text', async () => {
    const done = run(() => Promise.reject(new Error('no database \0')));
    await expect(done).rejects.toThrow(/^no database $/);
    await expect(done).rejects.not.toBeInstanceOf(UnrecoverableError);
    expect(report.of('fault')).toHaveLength(1);
  });

  it('a job of another name is refused without a retry', async () => {
    const done = run(async () => NOTHING_DUE, 'swe\u0000"ep');
    await expect(done).rejects.toBeInstanceOf(UnrecoverableError);
    await expect(done).rejects.toThrow(
      String.raw`invalid_request: job name "swe\u0000\"ep" is unknown; allowed: sweep`,
    );
  });
});
