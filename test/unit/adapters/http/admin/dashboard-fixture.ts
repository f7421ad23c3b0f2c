import type { Dashboard } from '../../../../../src/adapters/http/admin/load-dashboard.js';
import type { EngineRecord } from '../../../../../src/engines/engine-ports.js';
import type { DeadLetter } from '../../../../../src/jobs/dead-letters.js';
import type { LoggedOperation } from '../../../../../src/domain/record-queries.js';
import { doneSweep } from '../../../../support/records.js';

/** The database's clock; the application's is a day ahead of it. */
const NOW = new Date('2026-03-01T12:00:00.000Z');
const MADE_AT = new Date('2026-03-02T12:00:00.000Z');
export const ago = (ms: number): Date => new Date(NOW.getTime() - ms);

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

export const anEngine = (over: Partial<EngineRecord> = {}): EngineRecord => ({
  name: 'default',
  identity: { engineId: 'own', rootDir: '/var/lib/docker', storageDriver: 'overlay2' },
  observed: null,
  observedAt: null,
  firstSeenAt: ago(24 * HOUR_MS),
  lastSeenAt: ago(20_000),
  acceptedAt: null,
  acceptedBy: null,
  missing: 0,
  ...over,
});

/** A service without alerts; override what a test is about. */
export const aDashboard = (over: Partial<Dashboard> = {}): Dashboard => ({
  madeAt: MADE_AT,
  checks: [
    { name: 'database', ok: true, detail: 'its clock runs' },
    { name: 'queue', ok: true, detail: '0 waiting' },
  ],
  summary: {
    value: {
      asOf: NOW,
      running: 1_280,
      stopped: 37,
      removed: 911,
      due: 3,
      held: 2,
      deadLetters: 1,
      lagMs: 2 * HOUR_MS,
      retentionMs: 30 * 24 * HOUR_MS,
      refusal: null,
    },
  },
  engines: { value: [anEngine()] },
  jobs: { value: { waiting: 14, delayed: 5, active: 4 } },
  schedule: {
    value: {
      everyMs: HOUR_MS,
      next: ago(-15 * MINUTE_MS),
      last: doneSweep({ finishedAt: ago(45 * MINUTE_MS).toISOString(), planned: 6, enqueued: 5, coalesced: 1 }),
      lastFailure: null,
    },
  },
  codes: { value: {} },
  deadLetters: { value: [] },
  operations: { value: [] },
  ...over,
});

export const aDeadLetter = (over: Partial<DeadLetter> = {}): DeadLetter => ({
  jobId: '17',
  gameId: 'arena-41',
  opSource: 'admin_rest',
  sourceRef: '',
  code: 'container_mismatch',
  message: 'the container belongs to another game',
  failedAt: ago(5 * MINUTE_MS),
  enqueuedAt: ago(6 * MINUTE_MS),
  replays: 0,
  ...over,
});

export const anOperation = (over: Partial<LoggedOperation> = {}): LoggedOperation => ({
  id: '1',
  gameId: 'arena-41',
  opKind: 'cleanup_container',
  opSource: 'auto_ttl',
  sourceRef: '',
  imageRef: '',
  containerId: '',
  outcome: 'success',
  errorCode: '',
  errorMessage: '',
  jobId: '17',
  attempt: 1,
  removal: 'removed',
  engine: 'default',
  actor: '',
  startedAt: ago(2 * MINUTE_MS),
  finishedAt: ago(MINUTE_MS),
  ...over,
});
