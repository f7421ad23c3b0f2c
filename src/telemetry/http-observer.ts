import type { HttpObserver } from '../adapters/http/http-ports.js';
import type { Log } from './logger.js';
import type { Metrics } from './metrics.js';

interface Deps {
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'recordRequest'>;
}

/** Measures every request, and logs each at the level `debug`: at `info` the requests would hide the lines about cleanups. */
export function createHttpObserver({ log, metrics }: Deps): HttpObserver {
  return {
    answered: (request) => {
      metrics.recordRequest(request);
      const { requestId, elapsedMs, ...rest } = request;
      log.debug({ request_id: requestId, ...rest, duration_ms: Math.round(elapsedMs) }, 'request answered');
    },
    operatorActed: ({ requestId, actor, action, detail }) =>
      log.info({ request_id: requestId, actor, ...detail }, action),
    failed: ({ requestId, ...rest }, cause) =>
      log.error({ request_id: requestId, ...rest, err: cause }, 'request failed'),
  };
}
