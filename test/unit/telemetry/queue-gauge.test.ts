import { afterEach, describe, expect, it } from 'vitest';
import { createManualClock } from '../../support/manual-clock.js';
import { recordTelemetry } from './recorded-telemetry.js';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

function setup() {
  const recorded = recordTelemetry(createManualClock());
  stops.push(recorded.stop);
  return recorded;
}

describe('the gauge of the queue', () => {
  it('shows what is counted each time the metrics are read', async () => {
    const { telemetry, points } = setup();
    let waiting = 3;
    telemetry.metrics.observeQueue(async () => [
      { queue: 'runtime-cleanup', state: 'waiting', jobs: waiting },
      { queue: 'runtime-cleanup', state: 'failed', jobs: 1 },
    ]);
    const values = async () => (await points()).map(({ attributes, value }) => [attributes['state'], value]);
    expect(await values()).toEqual([
      ['waiting', 3],
      ['failed', 1],
    ]);
    waiting = 0;
    expect(await values()).toEqual([
      ['waiting', 0],
      ['failed', 1],
    ]);
  });

  it('does not keep the other metrics from being read while the queue cannot be counted', async () => {
    const { telemetry, points } = setup();
    telemetry.metrics.observeQueue(() => Promise.reject(new TypeError('away')));
    telemetry.metrics.recordLeaseAcquire(1_000, 'acquired');
    expect(await points()).toMatchObject([{ instrument: 'rtmanager.lease.acquire.duration', value: 1 }]);
  });

  it('is no longer asked for once the watching has ended', async () => {
    const { telemetry, points } = setup();
    let asked = 0;
    const unwatch = telemetry.metrics.observeQueue(async () => {
      asked += 1;
      return [];
    });
    await points();
    unwatch();
    await points();
    expect(asked).toBe(1);
  });
});
