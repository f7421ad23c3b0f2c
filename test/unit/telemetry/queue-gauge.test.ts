import { describe, expect, it } from 'vitest';
import { createManualClock } from '../../support/manual-clock.js';
import { recordTelemetry } from './recorded-telemetry.js';

const setup = () => recordTelemetry(createManualClock());

describe('the gauge of jobs in the queue', () => {
  it('the gauge counts the jobs each time the metrics are read', async () => {
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

  it('the gauge leaves the other metrics readable when the jobs cannot be counted', async () => {
    const { telemetry, points } = setup();
    telemetry.metrics.observeQueue(() => Promise.reject(new TypeError('no answer')));
    telemetry.metrics.recordLeaseAcquire(1_000, 'acquired');
    expect(await points()).toMatchObject([{ instrument: 'rtmanager.lease.acquire.duration', value: 1 }]);
  });

  it('the gauge does not count after its observation was stopped', async () => {
    const { telemetry, points } = setup();
    let asked = 0;
    const stopObserving = telemetry.metrics.observeQueue(async () => {
      asked += 1;
      return [];
    });
    await points();
    stopObserving();
    await points();
    expect(asked).toBe(1);
  });
});
