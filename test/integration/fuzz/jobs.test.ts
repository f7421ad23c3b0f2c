/* oxlint-disable vitest/no-conditional-expect -- a property says what holds in each case */
import * as fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createJobWaiter } from '../../../src/adapters/bullmq/lookup/wait-for-jobs.js';
import { createCleanupWorker } from '../../../src/adapters/bullmq/worker/cleanup-worker.js';
import { createOperationLog } from '../../../src/adapters/prisma/operation-log.js';
import { createRecordQueries } from '../../../src/adapters/prisma/record-queries.js';
import { createCleanupService } from '../../../src/cleanup/cleanup-service.js';
import { systemClock } from '../../../src/async/clock.js';
import { FAILURE_CODES, SUCCESS_CODES } from '../../../src/domain/error-codes.js';
import type { LoggedOperation } from '../../../src/domain/record-queries.js';
import { createJobConsumer } from '../../../src/jobs/consume.js';
import { readReason } from '../../../src/jobs/failure-reason.js';
import { STORE_KINDS, type StoreKind } from '../../support/queue/queue-stores.js';
import { useQueueWorld } from '../../support/queue/queue-world.js';
import { openRecordsDatabase, type RecordsDatabase } from '../../support/postgres/records-database.js';
import { fuzz, UNHURRIED } from '../../unit/fuzz/fuzzing.js';
import { anyJson, hostileText, nearlyPayload } from '../../unit/fuzz/hostile.js';

const BATCH = 100;
const LIMITS = { conflictMaxAttempts: 1, conflictMaxDelayMs: 1, retryMaxAgeMs: 0 };
const KNOWN: readonly unknown[] = [...SUCCESS_CODES, ...FAILURE_CODES];

interface Added {
  readonly name: string;
  readonly data: unknown;
}

const isStorable = (text: string): boolean => text.isWellFormed() && !text.includes('\0');

function jsonOf(data: unknown): string {
  try {
    return JSON.stringify(data) ?? '';
  } catch {
    return '';
  }
}

/** What BullMQ itself takes: a name that is not empty, data that can be written; in PostgreSQL only what its text holds. */
function isAddable(kind: StoreKind, { name, data }: Added): boolean {
  const json = jsonOf(data);
  if (name === '' || json === '' || json.length > 100_000) return false;
  return kind === 'redis' || (isStorable(name) && !/\\u(?:0000|d[89a-f])/i.test(json));
}

const added = (kind: StoreKind): fc.Arbitrary<Added> =>
  fc
    .record({
      name: fc.oneof({ weight: 6, arbitrary: fc.constant('cleanup_container') }, hostileText),
      data: fc.oneof({ weight: 3, arbitrary: nearlyPayload() }, { weight: 2, arbitrary: anyJson }),
    })
    .filter((job) => isAddable(kind, job));

describe.each(STORE_KINDS)('jobs of any content on %s', (kind) => {
  const world = useQueueWorld(kind);
  let database: RecordsDatabase;

  beforeAll(async () => {
    database = await openRecordsDatabase();
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    const lost: unknown[] = [];
    const cleanup = createCleanupService(
      {
        leases: {
          withLease: async (_gameId, signal, work) => ({
            status: 'done',
            value: await work({ signal, assertHeld: () => undefined }),
          }),
        },
        // No game has a record, so each valid payload ends at its first attempt.
        records: { take: async () => undefined, markRemoved: async () => ({ status: 'vanished' }) },
        log: createOperationLog(database),
        engines: { take: async () => undefined },
        observer: {
          concluded: () => undefined,
          auditRowLost: (_entry, cause) => void lost.push(cause),
          leaseReleaseFailed: () => undefined,
        },
        clock: systemClock,
      },
      { retentionMs: 1 },
    );
    const consumer = createJobConsumer({ cleanup, clock: systemClock, random: () => 0, traceId: () => '' }, LIMITS);
    const worker = createCleanupWorker({ ...world.deps(), consumer, abandoned: consumer.abandoned });
    world.atEnd(() => worker.stop({ graceMs: 0 }));
    await worker.start();
  });
  afterEach(() => database.clear());

  const rowsByJob = async (): Promise<ReadonlyMap<string, LoggedOperation>> => {
    const found = new Map<string, LoggedOperation>();
    for (let before: string | undefined; ;) {
      const page = await createRecordQueries(database).listOperations({ before, limit: 500 });
      for (const row of page.items) {
        expect(found.has(row.jobId)).toBe(false);
        found.set(row.jobId, row);
      }
      if (page.next === null) return found;
      before = page.next;
    }
  };

  it('a job of any content ends, with the same code for the same data, and leaves one row', UNHURRIED, async () => {
    const { seed = 0, numRuns = BATCH } = fuzz(BATCH);
    const sent = fc.sample(added(kind), { seed, numRuns });
    // Each twice: the same data must end in the same way.
    const jobs = await world.space.plain.addBulk(
      [...sent, ...sent].map(({ name, data }) => ({ name, data, opts: {} })),
    );
    const endings = createJobWaiter(world.deps());
    world.atEnd(endings.close);
    const limit = AbortSignal.timeout(60_000 + numRuns * 100);
    const ids = jobs.map(({ id = '' }) => id);
    await endings.wait(ids, () => undefined, limit);
    const rows = await rowsByJob();
    const codes = await Promise.all(
      jobs.map(async ({ id = '' }) => {
        const job = await world.space.plain.getJob(id);
        const result = job?.returnvalue as { readonly errorCode?: string } | null | undefined;
        const code = result?.errorCode ?? readReason(job?.failedReason ?? '')?.code;
        expect(KNOWN, `job ${id}: ${job?.failedReason}`).toContain(code);
        expect(rows.get(id)?.errorCode).toBe(code);
        return code;
      }),
    );
    expect(codes.slice(sent.length)).toEqual(codes.slice(0, sent.length));
    expect(rows.size).toBe(jobs.length);
    expect(world.space.report.of('fault')).toEqual([]);
  });
});
