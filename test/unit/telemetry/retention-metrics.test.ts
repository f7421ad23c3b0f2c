import { describe, expect, it } from 'vitest';
import { createSweepObserver } from '../../../src/telemetry/sweep-observer.js';
import { createManualClock } from '../../support/manual-clock.js';
import { doneSweep, refusedSweep } from '../../support/records.js';
import { recordLog, recordTelemetry } from './recorded-telemetry.js';

function setUp() {
  const recorded = recordTelemetry(createManualClock());
  const { log, lines } = recordLog();
  return { ...recorded, lines, observer: createSweepObserver({ log, metrics: recorded.telemetry.metrics }) };
}

describe('the observer of sweeps', () => {
  it('the observer counts sweeps by their outcome, and the jobs that they enqueued', async () => {
    const { observer, points } = setUp();
    observer.enqueued(100);
    observer.enqueued(50);
    observer.ended(doneSweep());
    observer.ended(refusedSweep());
    expect(await points()).toMatchObject([
      { instrument: 'rtmanager.retention.enqueued', value: 150 },
      { instrument: 'rtmanager.retention.sweeps', attributes: { status: 'done' }, value: 1 },
      { instrument: 'rtmanager.retention.sweeps', attributes: { status: 'refused' }, value: 1 },
    ]);
  });

  it('the observer logs a refused sweep as an error, with the reason', () => {
    const { observer, lines } = setUp();
    observer.ended(refusedSweep());
    expect(lines).toEqual([['error', 'sweep refused', refusedSweep()]]);
  });

  it('the observer logs a game that could not be enqueued', () => {
    const { observer, lines } = setUp();
    observer.skipped('game-7', new Error('no place'));
    expect(lines).toEqual([['warn', 'sweep skipped a game', { game_id: 'game-7', reason: 'no place' }]]);
  });
});

describe('the gauge of the retention lag', () => {
  it('the gauge shows the lag in seconds when the metrics are read', async () => {
    const { telemetry, points } = setUp();
    telemetry.metrics.observeRetentionLag(async () => 90_500);
    expect(await points()).toEqual([{ instrument: 'rtmanager.retention.lag', unit: 's', attributes: {}, value: 90.5 }]);
  });

  it('the gauge has no value when the lag cannot be read', async () => {
    const { telemetry, points } = setUp();
    telemetry.metrics.observeRetentionLag(() => Promise.reject(new TypeError('no answer')));
    telemetry.metrics.recordRequest({ method: 'GET', route: '/healthz', status: 200, elapsedMs: 250 });
    expect(await points()).toMatchObject([
      {
        instrument: 'http.server.request.duration',
        value: 0.25,
        attributes: { 'http.route': '/healthz', 'http.response.status_code': 200 },
      },
    ]);
  });
});
