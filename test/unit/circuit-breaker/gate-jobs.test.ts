import { describe, expect, it } from 'vitest';
import { failure } from '../../../src/domain/result.js';
import type { JobOutcome } from '../../../src/jobs/delivery.js';
import { gateJobs } from '../../../src/circuit-breaker/breaker.js';
import { aDelivery } from '../../support/deliveries.js';
import { createBreakerWorld } from './breaker-world.js';
import { neverAborted } from '../../support/calls.js';

const settled: JobOutcome = { action: 'complete', result: failure('conflict', 'busy') };

/** A gated consumer during an outage of the engine, and the jobs that it ran. */
async function setUp(consume: () => Promise<JobOutcome> = async () => settled) {
  const world = createBreakerWorld({ threshold: 1 });
  const ran: string[] = [];
  const consumer = gateJobs(
    {
      consume: (delivery) => {
        ran.push(delivery.jobId);
        return consume();
      },
    },
    world.breaker,
  );
  await world.fails('docker');
  return { ...world, consumer, ran };
}

describe('a gated consumer', () => {
  it('a job runs when the breaker admits it, and the next job probes when it has ended', async () => {
    const { consumer, clock, ran } = await setUp();
    const first = consumer.consume(aDelivery({ jobId: '1' }), neverAborted);
    const second = consumer.consume(aDelivery({ jobId: '2' }), neverAborted);
    await clock.advance(999);
    expect(ran).toEqual([]);
    await clock.advance(1);
    expect(await Promise.all([first, second])).toEqual([settled, settled]);
    expect(ran).toEqual(['1', '2']);
  });

  it('the next job probes also when the job before it was interrupted', async () => {
    const { consumer, clock, claimJob } = await setUp(() => Promise.reject(new Error('shutdown')));
    const interrupted = consumer.consume(aDelivery(), neverAborted).catch((thrown: unknown) => thrown);
    const next = await claimJob();
    await clock.advance(1_000);
    expect(await interrupted).toEqual(new Error('shutdown'));
    expect(next.status()).toBe('running');
  });

  it('a job whose signal ends the wait rejects with the reason and does not run', async () => {
    const { consumer, clock, ran } = await setUp();
    const stop = new AbortController();
    const consumed = consumer.consume(aDelivery(), stop.signal).catch((thrown: unknown) => thrown);
    stop.abort(new Error('lock lost'));
    expect(await consumed).toEqual(new Error('lock lost'));
    await clock.advance(1_000);
    expect(ran).toEqual([]);
  });

  it('a job that the breaker does not admit is returned to the queue', async () => {
    const { consumer, breaker, ran } = await setUp();
    const consumed = consumer.consume(aDelivery(), neverAborted);
    breaker.shut();
    expect(await consumed).toEqual({ action: 'hand_back' });
    expect(ran).toEqual([]);
  });
});
