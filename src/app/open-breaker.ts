import { type Breaker, type BreakerReport, createBreaker } from '../circuit-breaker/breaker.js';
import type { Config } from '../config/config.js';
import { messageOf } from '../domain/errors.js';
import type { Metrics } from '../telemetry/metrics.js';
import type { Context } from './context.js';
import type { ShutdownStack } from './shutdown-stack.js';

/** The time that a probe may take beyond its longest call. */
const BEYOND_LONGEST_CALL_MS = 30_000;

interface BreakerContext extends Pick<Context, 'clock' | 'log'> {
  readonly config: Pick<Config, 'dockerTimeoutMs'>;
}

interface Parts {
  readonly metrics: Pick<Metrics, 'observeCircuits'>;
  /** Given for the breaker of one engine among several. */
  readonly engine?: string;
}

/** Keeps jobs from running while a dependency is unavailable; logs the start and the end of each outage. */
export function openBreaker(
  { config, clock, log }: BreakerContext,
  { metrics: { observeCircuits }, engine }: Parts,
  closing: ShutdownStack,
): Breaker {
  const of = (dependency: string) => ({ dependency, ...(engine !== undefined && { engine }) });
  const report: BreakerReport = {
    opened: (dependency, cause) =>
      log.warn({ ...of(dependency), reason: messageOf(cause) }, 'dependency unavailable; jobs wait for it'),
    stillOpen: (dependency, unavailableMs, cause) =>
      log.warn(
        { ...of(dependency), unavailable_ms: unavailableMs, reason: messageOf(cause) },
        'dependency still unavailable; jobs wait',
      ),
    closed: (dependency, unavailableMs) =>
      log.info({ ...of(dependency), unavailable_ms: unavailableMs }, 'dependency answers again'),
  };
  // The engine's is the longest call that a probe can make, and the only one whose limit is configured.
  const probeLimitMs = config.dockerTimeoutMs + BEYOND_LONGEST_CALL_MS;
  const breaker = createBreaker({ clock, report }, { probeLimitMs });
  const stopObserving = observeCircuits(() =>
    breaker.states().map(({ dependency, isOpen }) => Object.assign({ isOpen }, of(dependency))),
  );
  closing.add('circuit gauge', async () => stopObserving());
  return breaker;
}
