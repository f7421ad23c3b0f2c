import { messageOf } from '../domain/errors.js';
import { storable } from '../domain/text.js';
import type { SweepObserver } from '../retention/ports.js';
import type { Log } from './logger.js';
import type { Metrics } from './metrics.js';

/** One line for each sweep, one for each game that it could not ask for, and the counters. */
export function createSweepObserver({ log, metrics }: { log: Log; metrics: Metrics }): SweepObserver {
  return {
    enqueued: (jobs) => metrics.sweepEnqueued(jobs),
    skipped: (gameId, cause) =>
      log.warn({ game_id: storable(gameId, 256), reason: messageOf(cause) }, 'sweep skipped a game'),
    ended: (report) => {
      metrics.sweepEnded(report.status);
      switch (report.status) {
        case 'done':
          log.info({ ...report }, 'sweep done');
          return;
        case 'refused':
          log.error({ ...report }, 'sweep refused');
          return;
        case 'busy':
          log.info({}, 'sweep left to another one that is under way');
      }
    },
  };
}
