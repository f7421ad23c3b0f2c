/**
 * The audit: reads stores and engine as they are, and reports which of the service's promises hold. It changes nothing,
 * so it may run at any time, also beside workers; it waits for what workers are about to repair by themselves.
 */
import type { Clock } from '../async/clock.js';
import { messageOf } from '../domain/errors.js';
import { type AuditProgress, checkRemovedIsGone } from './container-check.js';
import { checkActiveJobs, checkDeadLetters } from './job-checks.js';
import { checkLeases } from './lease-check.js';
import { checkContainersHaveRecords } from './orphan-check.js';
import { checkEngines } from './engine-check.js';
import type { AuditedEngines, AuditEngines, AuditLeases, AuditQueue, AuditRecords } from './audit-ports.js';
import { checkRemovedHasRow, checkRowHasRemoval } from './record-checks.js';
import { createTally, type InvariantName, type InvariantReport, INVARIANTS, type Tally } from './audit-report.js';

export interface AuditDeps {
  readonly records: AuditRecords;
  readonly engines: AuditEngines;
  readonly registry: AuditedEngines;
  readonly leases: AuditLeases;
  readonly queue: AuditQueue;
  readonly clock: Clock;
}

export interface AuditOptions {
  /** Records, rows and containers of this game only; engines, leases and jobs are few, and always checked. */
  readonly gameId?: string | undefined;
  /** Called during the one part that may take minutes: the check of the containers. */
  readonly onProgress?: ((progress: AuditProgress) => void) | undefined;
  /** How long to wait for what workers repair by themselves; their stall check takes about three seconds. */
  readonly patienceMs?: number | undefined;
  readonly signal: AbortSignal;
}

const PATIENCE_MS = 10_000;

type Check = (tally: Tally) => Promise<void>;

/** Yields each invariant as it has been checked. Rejects only with the signal's reason. */
export async function* audit(deps: AuditDeps, options: AuditOptions): AsyncGenerator<InvariantReport> {
  const checks = checksOf(deps, options);
  for (const name of INVARIANTS) {
    const tally = createTally(name);
    try {
      await checks[name](tally);
    } catch (error) {
      options.signal.throwIfAborted();
      tally.markUnknown(messageOf(error));
    }
    yield tally.report();
  }
}

function checksOf(deps: AuditDeps, options: AuditOptions): Readonly<Record<InvariantName, Check>> {
  const { records, engines, registry, leases, queue, clock } = deps;
  const { gameId = null, onProgress = () => undefined, patienceMs = PATIENCE_MS, signal } = options;
  const ofRecords = { records, gameId, signal };
  const ofEngines = { engines, registry, signal };
  const ofJobs = { queue, records, clock, patienceMs, signal };
  return {
    removed_has_row: (tally) => checkRemovedHasRow(ofRecords, tally),
    row_has_removal: (tally) => checkRowHasRemoval(ofRecords, tally),
    removed_is_gone: (tally) => checkRemovedIsGone({ ...ofRecords, ...ofEngines, onProgress }, tally),
    container_has_record: (tally) =>
      checkContainersHaveRecords({ ...ofRecords, ...ofEngines, clock, patienceMs }, tally),
    engine_is_same: (tally) => checkEngines(ofEngines, tally),
    lease_has_end: (tally) => checkLeases({ leases, signal }, tally),
    active_has_worker: (tally) => checkActiveJobs(ofJobs, tally),
    dead_letter_has_reason: (tally) => checkDeadLetters(ofJobs, tally),
  };
}
