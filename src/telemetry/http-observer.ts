import type { Log } from './logger.js';
import type { Metrics } from './metrics.js';

/** One answered request. */
interface AnsweredRequest {
  readonly requestId: string;
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly elapsedMs: number;
}

/** Called by the HTTP server; must not throw. */
interface HttpObserver {
  readonly answered: (request: AnsweredRequest) => void;
  readonly failed: (request: Pick<AnsweredRequest, 'requestId' | 'method' | 'route'>, cause: unknown) => void;
}

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
    failed: ({ requestId, ...rest }, cause) =>
      log.error({ request_id: requestId, ...rest, err: cause }, 'request failed'),
  };
}
