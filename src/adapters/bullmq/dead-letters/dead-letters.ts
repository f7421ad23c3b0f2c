import type { Clock } from '../../../async/clock.js';
import type { DeadLetters } from '../../../jobs/dead-letters.js';
import type { DeadLetterGames } from '../../../retention/ports.js';
import { createLazyQueue } from '../store/lazy-queue.js';
import type { QueueReport } from '../store/queue-report.js';
import type { QueueBackend } from '../store/queue-store.js';
import { createDeadLetterPurger, createDeadLetterReplayer } from './change-dead-letters.js';
import { createFailedPages } from './failed-pages.js';
import { createDeadLetterReader } from './read-dead-letters.js';

interface Deps {
  readonly backend: Pick<QueueBackend, 'queue' | 'failedSet'>;
  readonly clock: Clock;
  readonly report: QueueReport;
}

/** Reader, replayer and purger over one connection, which `close` ends. */
export function createDeadLetters(deps: Deps): DeadLetters & DeadLetterGames {
  const { clock } = deps;
  const { failedSet } = deps.backend;
  const { ask, close } = createLazyQueue({ ...deps, what: 'the dead letters' });
  const pages = createFailedPages({ failedSet, clock });
  return {
    ...createDeadLetterReader({ failedSet, pages, clock }),
    ...createDeadLetterReplayer({ failedSet, ask, pages, clock }),
    ...createDeadLetterPurger({ failedSet, ask, pages, clock }),
    close,
  };
}
