import type { Delivery } from '../../src/jobs/delivery.js';

/** A well-formed delivery; override what a test is about. */
export function aDelivery(over: Partial<Delivery> = {}): Delivery {
  return {
    jobId: '42',
    jobName: 'cleanup_container',
    payload: { gameId: 'game-1', opSource: 'admin_rest' },
    run: 1,
    crashes: 0,
    history: 0,
    ...over,
  };
}
