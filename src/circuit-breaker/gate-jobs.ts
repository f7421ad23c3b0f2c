import type { Breaker } from './breaker.js';
import type { JobConsumer } from '../jobs/delivery.js';

/** The same consumer behind the breaker's door; a job that is turned away there goes back as it came. */
export function gateJobs(consumer: JobConsumer, breaker: Pick<Breaker, 'admit'>): JobConsumer {
  return {
    consume: async (delivery, signal) => {
      const pass = await breaker.admit(signal);
      if (pass === undefined) return { action: 'hand_back' };
      try {
        return await consumer.consume(delivery, signal);
      } finally {
        pass.leave();
      }
    },
  };
}
