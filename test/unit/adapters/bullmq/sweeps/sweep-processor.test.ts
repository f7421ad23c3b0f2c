import { DelayedError, UnrecoverableError } from 'bullmq';
import { beforeEach, describe, expect, it } from 'vitest';
import { createSweepProcessor } from '../../../../../src/adapters/bullmq/sweeps/sweep-processor.js';
import type { SweepReport } from '../../../../../src/retention/ports.js';
import { createRecordingReport, type RecordingReport } from '../../../../support/queue/queue-report.js';
import { untilAborted } from '../../../../support/queue/queue-scripts.js';
import { NOTHING_DUE } from '../../../../support/queue/sweep-world.js';

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

  it('declares three parameters, or BullMQ would make no signal', () => {
    expect(createSweepProcessor({ sweep: untilAborted, report })).toHaveLength(3);
  });

  it('answers with the sweep’s report, also when it was told to stop too late', async () => {
    const done = run(async () => {
      bull.abort('shutdown');
      return NOTHING_DUE;
    });
    expect(await done).toEqual(NOTHING_DUE);
    expect(handedBack).toEqual([]);
  });

  it('hands a sweep back when the worker shuts down', async () => {
    const done = run(untilAborted);
    bull.abort('shutdown');
    await expect(done).rejects.toBeInstanceOf(DelayedError);
    expect(handedBack).toEqual(['token']);
    expect(report.lines).toEqual([]);
  });

  it('writes nothing of a sweep whose lock was lost, and says so', async () => {
    const done = run(untilAborted);
    bull.abort('lock lost');
    await expect(done).rejects.toBeInstanceOf(DelayedError);
    expect(handedBack).toEqual([]);
    expect(report.lines).toEqual(['lockLost: 7']);
  });

  it('leaves a sweep that failed to BullMQ’s retry, with storable text', async () => {
    const done = run(() => Promise.reject(new Error('no database \0')));
    await expect(done).rejects.toThrow(/^no database $/);
    await expect(done).rejects.not.toBeInstanceOf(UnrecoverableError);
    expect(report.of('fault')).toHaveLength(1);
  });

  it('refuses a job of another name for good', async () => {
    const done = run(async () => NOTHING_DUE, 'swe\u0000"ep');
    await expect(done).rejects.toBeInstanceOf(UnrecoverableError);
    await expect(done).rejects.toThrow(
      String.raw`invalid_request: job name "swe\u0000\"ep" is unknown; allowed: sweep`,
    );
  });
});
