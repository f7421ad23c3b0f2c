/**
 * The stores and the queue in memory, for tests of what stands before them. Every fake passes the contract suite of its
 * port (`test/contract/`), so a test that uses them proves what it would prove on the real ones.
 */
import type { RecordQueries } from '../../../src/domain/pages.js';
import type { DeadLetters } from '../../../src/jobs/dead-letters.js';
import type { CleanupQueue, JobLookup, JobWaiter } from '../../../src/jobs/ports.js';
import type { Holds } from '../../../src/retention/holds.js';
import type { DeadLetterGames, SweepSchedule } from '../../../src/retention/ports.js';
import type { Retention } from '../../../src/retention/retention.js';
import { createFakeCleanupQueue } from './cleanup-queue.js';
import { createFakeDeadLetters } from './dead-letters.js';
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
import { createPlatformState, FAKE_NOW, type PlatformState } from './state.js';
import { createFakeSweepSchedule } from './sweep-schedule.js';

export interface FakePlatform {
  readonly state: PlatformState;
  readonly recordQueries: RecordQueries;
  readonly holds: Holds;
  readonly cleanupQueue: CleanupQueue;
  readonly jobLookup: JobLookup;
  readonly jobWaiter: JobWaiter;
  readonly deadLetters: DeadLetters & DeadLetterGames;
  readonly retention: Retention;
  readonly sweepSchedule: SweepSchedule;
}

interface PlatformOptions {
  /** The clock of all stores; without one it stands still at `FAKE_NOW`. */
  readonly now?: () => Date;
  readonly retention?: RetentionSettings;
}

export function createFakePlatform({
  now = () => FAKE_NOW,
  retention = DEFAULT_RETENTION,
}: PlatformOptions = {}): FakePlatform {
  const state = createPlatformState(now);
  const cleanupQueue = createFakeCleanupQueue(state);
  const deadLetters = createFakeDeadLetters(state);
  const stores = { records: recordsOf(state), lock: createFakeSweepLock(), cleanupQueue, deadLetters };
  return {
    state,
    recordQueries: createFakeRecordQueries(state),
    holds: createFakeHolds(state),
    cleanupQueue,
    jobLookup: createFakeJobLookup(state),
    jobWaiter: createFakeJobWaiter(state),
    deadLetters,
    retention: retentionOver(stores, retention),
    sweepSchedule: createFakeSweepSchedule(state),
  };
}
