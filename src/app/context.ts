import type { Clock } from '../async/clock.js';
import type { Config } from '../config/config.js';
import type { Log } from '../telemetry/logger.js';

/** What everything that is opened here needs to know. */
export interface Context {
  readonly config: Config;
  readonly log: Log;
  readonly clock: Clock;
  /** How long to wait for a store that does not answer, in milliseconds; infinite for a worker, which outlives outages. */
  readonly patienceMs: number;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
}
