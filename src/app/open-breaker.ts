import type { ContainerEngine, OperationLog, RuntimeRecords } from '../cleanup/ports.js';
import type { Config } from '../config/config.js';
import { type Dependency, messageOf } from '../domain/errors.js';
import { type Breaker, type BreakerReport, createBreaker } from '../circuit-breaker/breaker.js';
import type { LeaseStore } from '../lease/lease-store.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import type { ShutdownStack } from './shutdown-stack.js';
import type { Context } from './context.js';

/** A probe that has taken longer than a call can take is no longer waited for. */
const PATIENCE_BEYOND_MS = 30_000;

interface BreakerContext extends Pick<Context, 'clock' | 'log'> {
  readonly config: Pick<Config, 'dockerTimeoutMs'>;
}

/** Keeps jobs from running while something they need is away; a line when that begins, a line when it is over. */
export function openBreaker(
  { config, clock, log }: BreakerContext,
  { metrics }: Telemetry,
  closing: ShutdownStack,
): Breaker {
  const report: BreakerReport = {
    opened: (dependency, cause) =>
      log.warn({ dependency, reason: messageOf(cause) }, 'dependency unavailable; jobs wait for it'),
    stillOpen: (dependency, awayMs, cause) =>
      log.warn({ dependency, away_ms: awayMs, reason: messageOf(cause) }, 'dependency still unavailable; jobs wait'),
    closed: (dependency, awayMs) => log.info({ dependency, away_ms: awayMs }, 'dependency answers again'),
  };
  // The engine's is the longest call that a probe can meet, and the only one whose limit is configured.
  const breaker = createBreaker({ clock, report }, { probePatienceMs: config.dockerTimeoutMs + PATIENCE_BEYOND_MS });
  const stopWatching = metrics.watchCircuits(breaker.states);
  closing.add('circuit gauge', async () => stopWatching());
  return breaker;
}

type Watch = Pick<Breaker, 'watch'>;

export function watchEngine(engine: ContainerEngine, { watch }: Watch): ContainerEngine {
  return {
    look: (containerId, signal) => watch('docker', () => engine.look(containerId, signal)),
    remove: (containerId, signal) => watch('docker', () => engine.remove(containerId, signal)),
  };
}

export function watchRecords(records: RuntimeRecords, { watch }: Watch): RuntimeRecords {
  return {
    take: (gameId) => watch('postgresql', () => records.take(gameId)),
    markRemoved: (taken, entry) => watch('postgresql', () => records.markRemoved(taken, entry)),
  };
}

export function watchOperations(operations: OperationLog, { watch }: Watch): OperationLog {
  return { append: (entry) => watch('postgresql', () => operations.append(entry)) };
}

/** A store that has no room for another lease still frees one: a release says nothing of whether jobs can go on. */
export function watchLeaseStore(store: LeaseStore, dependency: Dependency, { watch }: Watch): LeaseStore {
  return {
    acquire: (gameId, token, ttlMs) => watch(dependency, () => store.acquire(gameId, token, ttlMs)),
    renew: (gameId, token, ttlMs) => watch(dependency, () => store.renew(gameId, token, ttlMs)),
    release: store.release,
  };
}
