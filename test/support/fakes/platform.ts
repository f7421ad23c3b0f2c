/**
 * The stores and the queue in memory, for tests of what stands before them. Every fake passes the contract suite of its
 * port (`test/contract/`), so a test that uses them proves what it would prove on the real ones.
 */
import type { Clock } from '../../../src/async/clock.js';
import type { RecordQueries } from '../../../src/domain/record-queries.js';
import type { ContainerLooks, EngineRegistry } from '../../../src/engines/engine-ports.js';
import type { DeadLetters } from '../../../src/jobs/dead-letters.js';
import type { CleanupQueue, JobLookup, JobWaiter } from '../../../src/jobs/ports.js';
import type { Holds } from '../../../src/retention/holds.js';
import type { DeadLetterGames, SweepLock, SweepSchedule } from '../../../src/retention/ports.js';
import type { Retention } from '../../../src/retention/retention-service.js';
import { createManualClock } from '../manual-clock.js';
import { createFakeCleanupQueue } from './cleanup-queue.js';
import { createFakeDeadLetters } from './dead-letters.js';
import { createFakeEngines } from './engines.js';
import { createFakeHolds } from './holds.js';
import { createFakeJobLookup } from './job-lookup.js';
import { createFakeJobWaiter } from './job-waiter.js';
import { createFakeRecordQueries } from './record-queries.js';
import {
  createFakeSweepLock,
  DEFAULT_RETENTION,
  recordsOf,
  retentionOver,
  type RetentionSettings,
} from './retention.js';
import { createPlatformState, type PlatformState } from './state.js';
import { createFakeSweepSchedule } from './sweep-schedule.js';

export interface FakePlatform {
  readonly state: PlatformState;
  readonly recordQueries: RecordQueries;
  readonly holds: Holds;
  readonly engines: EngineRegistry;
  readonly containerLooks: ContainerLooks;
  readonly cleanupQueue: CleanupQueue;
  readonly jobLookup: JobLookup;
  readonly jobWaiter: JobWaiter;
  readonly deadLetters: DeadLetters & DeadLetterGames;
  readonly retention: Retention;
  /** Keeps the sweeps of `retention` apart from others. */
  readonly sweepLock: SweepLock;
  readonly sweepSchedule: SweepSchedule;
}

interface PlatformOptions {
  /** The clock of all stores; without one it stands still at 2026-03-01T00:00:00Z. */
  readonly clock?: Clock;
  readonly retention?: RetentionSettings;
}

export function createFakePlatform({
  clock = createManualClock({ startAt: '2026-03-01T00:00:00.000Z' }),
  retention = DEFAULT_RETENTION,
}: PlatformOptions = {}): FakePlatform {
  const state = createPlatformState(clock);
  const cleanupQueue = createFakeCleanupQueue(state);
  const deadLetters = createFakeDeadLetters(state);
  const engines = createFakeEngines(state);
  const sweepLock = createFakeSweepLock();
  const stores = { records: recordsOf(state), lock: sweepLock, cleanupQueue, deadLetters };
  return {
    state,
    recordQueries: createFakeRecordQueries(state),
    holds: createFakeHolds(state),
    engines: engines.registry,
    containerLooks: engines.looks,
    cleanupQueue,
    jobLookup: createFakeJobLookup(state),
    jobWaiter: createFakeJobWaiter(state),
    deadLetters,
    retention: retentionOver(stores, retention),
    sweepLock,
    sweepSchedule: createFakeSweepSchedule(state),
  };
}
