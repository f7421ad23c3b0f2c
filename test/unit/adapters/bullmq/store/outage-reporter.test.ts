import { beforeEach, describe, expect, it } from 'vitest';
import { createOutageReporter, type OutageReporter } from '../../../../../src/adapters/bullmq/store/outage-reporter.js';
import { createRecordingReport, type RecordingReport } from '../../../../support/queue/queue-report.js';
import { createManualClock, type ManualClock } from '../../../../support/manual-clock.js';

const down = () => Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });

describe('the outage reporter', () => {
  let clock: ManualClock;
  let report: RecordingReport;
  let answer: () => Promise<unknown>;
  let outages: OutageReporter;

  beforeEach(() => {
    clock = createManualClock();
    report = createRecordingReport();
    answer = () => Promise.reject(down());
    outages = createOutageReporter({ clock, report, probe: () => answer() });
  });

  it('an outage is reported once at its start and once at its end', async () => {
    for (let count = 0; count < 50; count++) outages.note(down(), 'the worker');
    await clock.advance(3_000);
    outages.note(down(), 'the worker');
    answer = () => Promise.resolve();
    await clock.advance(2_000);
    expect(report.lines).toEqual(['unavailable: connect ECONNREFUSED', 'recovered: 4000']);
    outages.note(down(), 'the worker');
    expect(report.of('unavailable')).toHaveLength(2);
  });

  it('an outage continues while the store answers probes but refuses calls', async () => {
    answer = () => Promise.resolve();
    for (let count = 0; count < 30; count++) {
      outages.note(new Error("OOM command not allowed when used memory > 'maxmemory'."), 'the worker');
      await clock.advance(1_000);
    }
    expect(report.lines).toEqual(["unavailable: OOM command not allowed when used memory > 'maxmemory'."]);
    await clock.advance(2_000);
    expect(report.of('recovered')).toEqual(['recovered: 30000']);
  });

  it('the reported outage lasts as long as the store did not answer', async () => {
    outages.note(down(), 'the worker');
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

  it('an outage continues while probes hang', async () => {
    outages.note(down(), 'the worker');
    answer = () => new Promise(() => undefined);
    await clock.advance(10_000);
    expect(report.of('recovered')).toEqual([]);
    answer = () => Promise.resolve();
    await clock.advance(2_000);
    expect(report.of('recovered')).toHaveLength(1);
  });

  it('a probe that throws synchronously counts as failed', async () => {
    outages.note(down(), 'the worker');
    answer = () => {
      throw down();
    };
    await clock.advance(5_000);
    expect(report.lines).toEqual(['unavailable: connect ECONNREFUSED']);
  });

  it('an error that is not an outage is reported separately, at most every ten seconds', async () => {
    outages.note(new Error('deadlock detected'), 'the worker');
    outages.note(new Error('deadlock detected'), 'the worker');
    outages.note(new Error('something else'), 'the worker');
    await clock.advance(10_000);
    outages.note(new Error('deadlock detected'), 'the worker');
    expect(report.lines).toEqual([
      'fault: the worker: deadlock detected',
      'fault: the worker: something else',
      'fault: the worker: deadlock detected',
    ]);
  });

  it('an ended reporter reports nothing and leaves no timer', async () => {
    outages.note(down(), 'the worker');
    outages.end();
    outages.note(new Error('late'), 'the worker');
    answer = () => Promise.resolve();
    await clock.advance(5_000);
    expect(report.lines).toEqual(['unavailable: connect ECONNREFUSED']);
    expect(clock.pendingMs()).toEqual([]);
  });
});
