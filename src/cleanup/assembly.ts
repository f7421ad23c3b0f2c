import type { Clock } from '../async/clock.js';
import { ConfigurationError } from '../domain/errors.js';
import type { Leases } from '../lease/with-lease.js';
import type { CleanupObserver, ContainerEngine, OperationLog, RuntimeRecords } from './ports.js';

export interface CleanupDeps {
  readonly leases: Leases;
  readonly records: RuntimeRecords;
  readonly log: OperationLog;
  readonly engine: ContainerEngine;
  readonly observer: CleanupObserver;
  readonly clock: Clock;
}

export interface CleanupSettings {
  /** How long `auto_ttl` leaves a stopped container alone, in milliseconds. */
  readonly retentionMs: number;
}

const COLLABORATORS = ['leases', 'records', 'log', 'engine', 'observer', 'clock'] as const;

/**
 * Refuses to build a service that could fail half-way for want of a part. The types forbid it already; a wiring mistake
 * in untyped code must not be found out by the first removal.
 *
 * @throws {ConfigurationError} naming the part or the setting
 */
export function checkAssembly(deps: CleanupDeps, settings: CleanupSettings): void {
  const missing = COLLABORATORS.filter((name) => typeof deps[name] !== 'object' || deps[name] === null);
  if (missing.length > 0) throw new ConfigurationError(`the cleanup service lacks: ${missing.join(', ')}`);
  if (!Number.isFinite(settings.retentionMs) || settings.retentionMs < 0) {
    throw new ConfigurationError(
      `retentionMs is ${settings.retentionMs}; a number of milliseconds, 0 or more, is needed`,
    );
  }
}
