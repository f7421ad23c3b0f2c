import { audit, type AuditDeps, type AuditOptions } from '../../../src/audit/audit.js';
import type { AuditedDeadLetter, AuditedRecord, AuditEngines, NewestRow } from '../../../src/audit/audit-ports.js';
import type { InvariantName, InvariantReport } from '../../../src/audit/audit-report.js';
import type { EngineIdentity } from '../../../src/engines/engine-ports.js';
import { systemClock } from '../../../src/async/clock.js';
import { CONTAINER_ID } from '../../support/records.js';

export const aRow = (over: Partial<NewestRow> = {}): NewestRow => ({
  id: '7',
  jobId: '12',
  containerId: CONTAINER_ID,
  afterRemoval: false,
  recordUntouched: true,
  isRepeated: false,
  ...over,
});

/** A record that a cleanup removed, and its row. */
export const aRemoved = (over: Partial<AuditedRecord> = {}): AuditedRecord => ({
  gameId: 'game-1',
  status: 'removed',
  containerId: null,
  engine: 'default',
  bearsOurMark: true,
  rowsOfRemoval: 1,
  containerOfRemoval: CONTAINER_ID,
  engineOfRemoval: 'default',
  removal: 'removed',
  olderThanLog: false,
  newestRow: aRow(),
  ...over,
});

export const aFailed = (over: Partial<AuditedDeadLetter> = {}): AuditedDeadLetter => ({
  jobId: '12',
  gameId: 'game-1',
  failedAtMs: 5,
  reason: 'conflict: it runs',
  isReadable: true,
  ...over,
});

export const IDENTITY: EngineIdentity = { engineId: 'A', rootDir: '/var/lib/docker', storageDriver: 'overlay2' };

/** The default engine, which has no containers. */
export const anEngine = (over: Partial<AuditEngines> = {}): AuditEngines => ({
  names: () => ['default'],
  identify: async () => IDENTITY,
  look: async () => ({ kind: 'gone' }),
  owned: async () => [],
  ...over,
});

export interface Facts {
  readonly records?: readonly AuditedRecord[];
  readonly deadLetters?: readonly AuditedDeadLetter[];
}

/** Stores without a violation, except for the parts that a test gives. */
export function auditDeps({ records = [], deadLetters = [] }: Facts, parts: Partial<AuditDeps> = {}): AuditDeps {
  return {
    records: {
      page: async ({ status, gameId, after, limit }) =>
        records
          .filter((record) => status === 'any' || record.status === status)
          .filter((record) => gameId === null || record.gameId === gameId)
          .filter((record) => after === null || record.gameId > after)
          .slice(0, limit),
      countRemoved: async () => records.length,
      namesOf: async (_engine, containers) => containers.map(() => ({ isNamed: true, record: null })),
      withoutFailureRow: async () => [],
    },
    engines: anEngine(),
    registry: { list: async () => [], named: async () => new Map() },
    leases: { page: async () => ({ leases: [], next: null }) },
    queue: {
      unlocked: async () => ({ active: 0, jobs: [] }),
      deadLetters: async (after) => (after === null ? deadLetters : []),
      deadLetter: async (jobId) => deadLetters.find((job) => job.jobId === jobId),
    },
    clock: systemClock,
    ...parts,
  };
}

export type Reports = Readonly<Record<InvariantName, InvariantReport>>;

export async function audited(deps: AuditDeps, options: Partial<AuditOptions> = {}): Promise<Reports> {
  const reports: Partial<Record<InvariantName, InvariantReport>> = {};
  for await (const report of audit(deps, { signal: new AbortController().signal, patienceMs: 0, ...options })) {
    reports[report.name] = report;
  }
  return reports as Reports;
}

export const statusesOf = (reports: Reports): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.values(reports).map(({ name, status }) => [name, status]));
