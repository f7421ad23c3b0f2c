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

/** Told by the HTTP server; must not throw. */
interface HttpObserver {
  readonly answered: (request: AnsweredRequest) => void;
  readonly failed: (request: Pick<AnsweredRequest, 'requestId' | 'method' | 'route'>, cause: unknown) => void;
}

/** Measures every request; of the log's readers only those who ask for `debug` want a line for each. */
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
