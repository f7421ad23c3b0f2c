import { type ConnectionFamily, createConnectionFamily } from '../adapters/redis/renewal.js';
import type { Clock } from '../async/clock.js';
import type { Config } from '../config/config.js';
import type { Log } from '../telemetry/logger.js';

/** What every part that is opened here needs. */
export interface Context {
  readonly config: Config;
  readonly log: Log;
  readonly clock: Clock;
  /** How long to wait for a store that does not answer, in milliseconds; infinite for a worker, which outlives outages. */
  readonly patienceMs: number;
  /** All connections to Redis, so that leases and queue move to another server together. Default: each alone. */
  readonly redisConnections?: ConnectionFamily;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
}

type Session = Omit<Context, 'patienceMs' | 'redisConnections'>;

/** For a command whose user waits at a terminal, and must hear of an outage soon. */
export const oneShotContext = ({ config, log, clock, signal }: Session): Context => ({
  config,
  log,
  clock,
  signal,
  redisConnections: createConnectionFamily(clock),
  patienceMs: 5_000,
});

/** For a service: it may start before its stores do, and waits for them as it waits in a later outage. */
export const serviceContext = ({ config, log, clock, signal }: Session): Context => ({
  config,
  log,
  clock,
  signal,
  redisConnections: createConnectionFamily(clock),
  patienceMs: Number.POSITIVE_INFINITY,
});
