import { beforeEach, describe, expect, it } from 'vitest';
import { createOutageReporter, type OutageReporter } from '../../../../../src/adapters/bullmq/store/outage-reporter.js';
import { createRecordingReport, type RecordingReport } from '../../../../support/queue/queue-report.js';
import { createManualClock, type ManualClock } from '../../../../support/manual-clock.js';

const down = () => Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });

describe('a streak of errors', () => {
  let clock: ManualClock;
  let report: RecordingReport;
  let answer: () => Promise<unknown>;
  let streak: OutageReporter;

  beforeEach(() => {
    clock = createManualClock();
    report = createRecordingReport();
    answer = () => Promise.reject(down());
    streak = createOutageReporter({ clock, report, probe: () => answer() });
  });

  it('is told once when it begins and once when a probe is answered and nothing fails any more', async () => {
    for (let count = 0; count < 50; count++) streak.note(down(), 'the worker');
    await clock.advance(3_000);
    streak.note(down(), 'the worker');
    answer = () => Promise.resolve();
    await clock.advance(2_000);
    expect(report.lines).toEqual(['unavailable: connect ECONNREFUSED', 'recovered: 4000']);
    streak.note(down(), 'the worker');
    expect(report.of('unavailable')).toHaveLength(2);
  });

  it('goes on while the store answers probes and refuses the work', async () => {
    answer = () => Promise.resolve();
    for (let count = 0; count < 30; count++) {
      streak.note(new Error("OOM command not allowed when used memory > 'maxmemory'."), 'the worker');
      await clock.advance(1_000);
    }
    expect(report.lines).toEqual(["unavailable: OOM command not allowed when used memory > 'maxmemory'."]);
    await clock.advance(2_000);
    expect(report.of('recovered')).toEqual(['recovered: 30000']);
  });

  it('is as long as the store did not answer', async () => {
    streak.note(down(), 'the worker');
    await clock.advance(500);
    answer = () => Promise.resolve();
    await clock.advance(500);
    answer = () => Promise.reject(down());
    await clock.advance(1_000);
    expect(report.of('recovered')).toEqual([]);
    answer = () => Promise.resolve();
    await clock.advance(1_000);
    expect(report.of('recovered')).toEqual(['recovered: 3000']);
  });

  it('goes on while probes hang', async () => {
    streak.note(down(), 'the worker');
    answer = () => new Promise(() => undefined);
    await clock.advance(10_000);
    expect(report.of('recovered')).toEqual([]);
    answer = () => Promise.resolve();
    await clock.advance(2_000);
    expect(report.of('recovered')).toHaveLength(1);
  });

  it('takes a probe that throws outright for one that failed', async () => {
    streak.note(down(), 'the worker');
    answer = () => {
      throw down();
    };
    await clock.advance(5_000);
    expect(report.lines).toEqual(['unavailable: connect ECONNREFUSED']);
  });

  it('tells other errors by themselves, the same one every ten seconds at most', async () => {
    streak.note(new Error('deadlock detected'), 'the worker');
    streak.note(new Error('deadlock detected'), 'the worker');
    streak.note(new Error('something else'), 'the worker');
    await clock.advance(10_000);
    streak.note(new Error('deadlock detected'), 'the worker');
    expect(report.lines).toEqual([
      'fault: the worker: deadlock detected',
      'fault: the worker: something else',
      'fault: the worker: deadlock detected',
    ]);
  });

  it('is silent and leaves no timer once it is ended', async () => {
    streak.note(down(), 'the worker');
    streak.end();
    streak.note(new Error('late'), 'the worker');
    answer = () => Promise.resolve();
    await clock.advance(5_000);
    expect(report.lines).toEqual(['unavailable: connect ECONNREFUSED']);
    expect(clock.pendingMs()).toEqual([]);
  });
});
