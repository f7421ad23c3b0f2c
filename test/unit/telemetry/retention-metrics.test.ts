import { describe, expect, it } from 'vitest';
import { createSweepObserver } from '../../../src/telemetry/sweep-observer.js';
import { createManualClock } from '../../support/manual-clock.js';
import { recordTelemetry } from './recorded-telemetry.js';
import type { Log } from '../../../src/telemetry/logger.js';

function setUp() {
  const recorded = recordTelemetry(createManualClock());
  const lines: string[] = [];
  const write =
    (level: keyof Log): Log[keyof Log] =>
    (fields, message) =>
      void lines.push(`${level}: ${message} ${JSON.stringify(fields)}`);
  const log: Log = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  return { ...recorded, lines, observer: createSweepObserver({ log, metrics: recorded.telemetry.metrics }) };
}

const facts = {
  asOf: '2026-03-01T00:00:00.000Z',
  finishedAt: '2026-03-01T00:00:01.000Z',
  stopped: 200,
  planned: 150,
  kept: { held: 0, dead_letter: 0, invalid_id: 0 },
};

describe('the observer of sweeps', () => {
  it('the observer counts sweeps by their outcome, and the jobs that they enqueued', async () => {
    const { observer, points } = setUp();
    observer.enqueued(100);
    observer.enqueued(50);
    observer.ended({ ...facts, status: 'done', enqueued: 150, coalesced: 0, failed: 0 });
    observer.ended({ ...facts, status: 'refused', maxShare: 0.5, reason: 'too many' });
    expect(await points()).toMatchObject([
      { instrument: 'rtmanager.retention.enqueued', value: 150 },
      { instrument: 'rtmanager.retention.sweeps', attributes: { status: 'done' }, value: 1 },
      { instrument: 'rtmanager.retention.sweeps', attributes: { status: 'refused' }, value: 1 },
    ]);
  });

  it('the observer logs a refused sweep as an error, with the reason', () => {
    const { observer, lines } = setUp();
    observer.ended({ ...facts, status: 'refused', maxShare: 0.5, reason: 'raise RTMANAGER_SWEEP_MAX_SHARE' });
    expect(lines).toEqual([expect.stringMatching(/^error: sweep refused .*RTMANAGER_SWEEP_MAX_SHARE/)]);
  });

  it('the observer logs a game that could not be enqueued', () => {
    const { observer, lines } = setUp();
    observer.skipped('game-7', new Error('no place'));
    expect(lines).toEqual(['warn: sweep skipped a game {"game_id":"game-7","reason":"no place"}']);
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
