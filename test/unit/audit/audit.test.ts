import { describe, expect, it } from 'vitest';
import { audit } from '../../../src/audit/audit.js';
import type { AuditedRecord, UnlockedJob } from '../../../src/audit/audit-ports.js';
import { UnavailableError } from '../../../src/domain/errors.js';
import { createManualClock } from '../../support/manual-clock.js';
import { CONTAINER_ID } from '../../support/records.js';
import { aFailed, anEngine, aRemoved, aRow, audited, auditDeps, statusesOf } from './audit-world.js';

const gone = { kind: 'gone' } as const;
const away = (): Promise<never> => Promise.reject(new UnavailableError('docker', 'no engine'));
const manyRemoved = (count: number, over: Partial<AuditedRecord> = {}) =>
  Array.from({ length: count }, (_none, at) =>
    aRemoved({
      gameId: `game-${String(at).padStart(5, '0')}`,
      containerOfRemoval: at.toString(16).padStart(64, '0'),
      ...over,
    }),
  );

describe('a sound service', () => {
  it('a sound service has eight invariants that hold, and the checked items are counted', async () => {
    const reports = await audited(auditDeps({ records: manyRemoved(3), deadLetters: [aFailed()] }));
    expect(statusesOf(reports)).toEqual({
      removed_has_row: 'holds',
      row_has_removal: 'holds',
      removed_is_gone: 'holds',
      container_has_record: 'holds',
      engine_is_same: 'holds',
      lease_has_end: 'holds',
      active_has_worker: 'holds',
      dead_letter_has_reason: 'holds',
    });
    expect(reports.removed_is_gone).toMatchObject({ checked: 3, broken: 0, warnings: 0, reason: null, findings: [] });
    expect(reports.dead_letter_has_reason.checked).toBe(1);
  });

  it('the audit reads page by page, each record once', async () => {
    const records = manyRemoved(2_500);
    const asked: number[] = [];
    const deps = auditDeps({ records });
    const page = async (query: Parameters<typeof deps.records.page>[0]) => {
      const found = await deps.records.page(query);
      asked.push(found.length);
      return found;
    };
    const reports = await audited({ ...deps, records: { ...deps.records, page } });
    expect(asked).toEqual([1_000, 1_000, 500, 1_000, 1_000, 500, 1_000, 1_000, 500]);
    expect(reports.removed_has_row.checked).toBe(2_500);
  });
});

describe('the findings', () => {
  it('all findings are counted, and a thousand are kept', async () => {
    const records = manyRemoved(1_200, { rowsOfRemoval: 0 });
    const { removed_has_row: report } = await audited(auditDeps({ records }));
    expect(report).toMatchObject({ status: 'broken', broken: 1_200, checked: 1_200 });
    expect(report.findings).toHaveLength(1_000);
  });

  it('the findings leave out removals older than a pruned log, and a note says so', async () => {
    const records = [aRemoved({ rowsOfRemoval: 0, olderThanLog: true, newestRow: null })];
    const { removed_has_row: report } = await audited(auditDeps({ records }));
    expect(report).toMatchObject({ status: 'holds', checked: 0, notes: [expect.stringMatching(/^1 were removed/)] });
  });

  it('findings of severity warning break no invariant', async () => {
    const records = [aRemoved({ newestRow: aRow({ isRepeated: true }) })];
    const { row_has_removal: report } = await audited(auditDeps({ records }));
    expect(report).toMatchObject({ status: 'holds', broken: 0, warnings: 1 });
  });
});

describe('the check of containers', () => {
  it('the audit asks the engine for both ids, in the record and in the row, at most eight at a time', async () => {
    let running = 0;
    let most = 0;
    const seen: string[] = [];
    const look = async (_engine: string, id: string) => {
      seen.push(id);
      running += 1;
      most = Math.max(most, running);
      await new Promise(setImmediate);
      running -= 1;
      return gone;
    };
    const records = [...manyRemoved(40), aRemoved({ gameId: 'z', containerId: CONTAINER_ID, containerOfRemoval: '' })];
    const { removed_is_gone: report } = await audited(auditDeps({ records }, { engines: anEngine({ look }) }));
    expect(new Set(seen).size).toBe(41);
    expect([report.checked, most]).toEqual([41, 8]);
  });

  it('the audit asks for full ids only, and warns about another id', async () => {
    const records = [aRemoved({ containerId: 'abc' })];
    const { removed_is_gone: report } = await audited(auditDeps({ records }));
    expect(report).toMatchObject({ status: 'holds', warnings: 1 });
    expect(report.findings[0]?.what).toContain('"abc" is no full container id');
  });

  it('the audit stops asking after eight requests without an answer, and the invariant is unknown', async () => {
    let looks = 0;
    const look = (): Promise<never> => {
      looks += 1;
      return away();
    };
    const { removed_is_gone: report } = await audited(
      auditDeps({ records: manyRemoved(500) }, { engines: anEngine({ look }) }),
    );
    expect(report).toMatchObject({ status: 'unknown', checked: 0, reason: 'no engine' });
    expect(looks).toBeLessThan(20);
  });

  it('an invariant stays broken when the engine becomes unavailable after a finding', async () => {
    let looks = 0;
    const look = async () => {
      looks += 1;
      return looks === 1 ? ({ kind: 'present', activity: 'idle', detail: 'exited' } as const) : away();
    };
    const { removed_is_gone: report } = await audited(
      auditDeps({ records: manyRemoved(50) }, { engines: anEngine({ look }) }),
    );
    expect(report).toMatchObject({ status: 'broken', broken: 1, reason: 'no engine' });
  });

  it('the invariant is unknown without an engine even where there is no container to check', async () => {
    const reports = await audited(auditDeps({}, { engines: anEngine({ identify: away }) }));
    expect(reports.removed_is_gone).toMatchObject({ status: 'unknown', reason: 'no engine' });
    expect(reports.lease_has_end.status).toBe('holds');
  });
});

describe('active jobs without a lock', () => {
  const job: UnlockedJob = { queue: 'runtime-cleanup', jobId: '5', gameId: 'game-1', claim: '1' };
  const run = async (looks: readonly (readonly UnlockedJob[])[]) => {
    const clock = createManualClock();
    const rest = [...looks];
    const unlocked = async () => ({ active: 1, jobs: (rest.length > 1 ? rest.shift() : rest[0]) ?? [] });
    const deps = auditDeps({}, { clock });
    const reports = audited({ ...deps, queue: { ...deps.queue, unlocked } }, { patienceMs: 10_000 });
    await clock.advance(20_000);
    return (await reports).active_has_worker;
  };

  it('active jobs without a lock break the invariant when no worker takes them over', async () => {
    expect(await run([[job]])).toMatchObject({ status: 'broken', broken: 1, findings: [{ jobId: '5' }] });
  });

  it('active jobs without a lock break no invariant when a worker takes them over in time', async () => {
    expect(await run([[job], [job], []])).toMatchObject({ status: 'holds', checked: 1 });
  });

  it('active jobs without a lock break no invariant when each check finds a new claim', async () => {
    expect(await run([[job], [{ ...job, claim: '2' }]])).toMatchObject({ status: 'holds' });
  });
});

describe('dead letters', () => {
  it('dead letters without a readable reason break the invariant only if they stay', async () => {
    const failed = aFailed({ isReadable: false, reason: 'job stalled more than allowable limit' });
    const deps = auditDeps({ deadLetters: [failed] });
    const { dead_letter_has_reason: stays } = await audited(deps, { patienceMs: 1 });
    expect(stays).toMatchObject({ status: 'broken', findings: [{ jobId: '12', severity: 'broken' }] });
    const queue = { ...deps.queue, deadLetter: async () => undefined };
    const { dead_letter_has_reason: healed } = await audited({ ...deps, queue }, { patienceMs: 1 });
    expect(healed.status).toBe('holds');
  });

  it('dead letters without a row are warnings, and the invariant is unknown when the log cannot be read', async () => {
    const deps = auditDeps({ deadLetters: [aFailed()] });
    const missing = { ...deps.records, withoutFailureRow: async () => [aFailed()] };
    const lost = await audited({ ...deps, records: missing });
    expect(lost.dead_letter_has_reason).toMatchObject({ status: 'holds', warnings: 1 });
    const broken = { ...deps.records, withoutFailureRow: away };
    const unasked = await audited({ ...deps, records: broken });
    expect(unasked.dead_letter_has_reason).toMatchObject({ status: 'unknown', checked: 1, reason: 'no engine' });
  });
});

it('a key that Redis lists twice is one finding, and every page is read', async () => {
  const lease = { gameId: 'g', lifeMs: null, place: 'the Redis key "k"' };
  const page = async (after: string | null) => ({ leases: [lease], next: after === null ? '17' : null });
  const { lease_has_end: report } = await audited(auditDeps({}, { leases: { page } }));
  expect(report).toMatchObject({ status: 'broken', broken: 1, checked: 2 });
});

it('a stopped audit ends with the reason and without a report', async () => {
  const stop = new AbortController();
  const records = manyRemoved(3);
  const look = async (): Promise<never> => {
    stop.abort(new Error('stopped'));
    throw new Error('aborted call');
  };
  const deps = auditDeps({ records }, { engines: anEngine({ look }) });
  const read = async () => {
    const seen: string[] = [];
    for await (const { name } of audit(deps, { signal: stop.signal })) seen.push(name);
    return seen;
  };
  await expect(read()).rejects.toThrow('stopped');
});
