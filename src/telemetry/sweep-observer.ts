import { messageOf } from '../domain/errors.js';
import { storable } from '../domain/text.js';
import type { SweepObserver } from '../retention/ports.js';
import type { Log } from './logger.js';
import type { Metrics } from './metrics.js';

interface Deps {
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'countEnqueued' | 'countSweep'>;
}

/** Writes one line for each sweep and one for each game that could not be enqueued, and counts. */
export function createSweepObserver({ log, metrics }: Deps): SweepObserver {
  return {
    enqueued: (jobs) => metrics.countEnqueued(jobs),
    skipped: (gameId, cause) =>
      log.warn({ game_id: storable(gameId, 256), reason: messageOf(cause) }, 'sweep skipped a game'),
    ended: (report) => {
      metrics.countSweep(report.status);
      switch (report.status) {
        case 'done':
          log.info({ ...report }, 'sweep done');
          return;
        case 'refused':
          log.error({ ...report }, 'sweep refused');
          return;
        case 'busy':
          log.info({}, 'sweep skipped: another sweep is running');
      }
    },
  };
}
