import type { HttpObserver } from '../adapters/http/http-ports.js';
import type { Log } from './logger.js';
import type { Metrics } from './metrics.js';

/** Measures every request; logs each one at `debug` only, because there are many. */
export function createHttpObserver({ log, metrics }: { log: Log; metrics: Metrics }): HttpObserver {
  return {
    answered: (request) => {
      metrics.requestAnswered(request);
      const { requestId, elapsedMs, ...rest } = request;
      log.debug({ request_id: requestId, ...rest, duration_ms: Math.round(elapsedMs) }, 'request answered');
    },
    failed: ({ requestId, ...rest }, cause) =>
      log.error({ request_id: requestId, ...rest, err: cause }, 'request failed'),
  };
}
