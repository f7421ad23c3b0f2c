/** How the audit treats several engines, those it does not know, and those that are not the right ones. */
import { describe, expect, it } from 'vitest';
import type { AuditEngines, ContainerNaming, OwnedContainer } from '../../../src/audit/audit-ports.js';
import { UnavailableError } from '../../../src/domain/errors.js';
import type { EngineRecord } from '../../../src/engines/engine-ports.js';
import { CONTAINER_ID, OTHER_CONTAINER_ID } from '../../support/records.js';
import { anEngine, aRemoved, audited, auditDeps, IDENTITY } from './audit-world.js';

const AT = new Date('2026-03-01T00:00:00Z');
const stored = (over: Partial<EngineRecord> = {}): EngineRecord => ({
  name: 'default',
  identity: IDENTITY,
  observed: null,
  observedAt: null,
  firstSeenAt: AT,
  lastSeenAt: AT,
  acceptedAt: null,
  acceptedBy: null,
  missing: 0,
  ...over,
});
const registry = (engines: readonly EngineRecord[], named: readonly [string, number][] = []) => ({
  list: async () => engines,
  named: async () => new Map(named),
});
const other = { ...IDENTITY, engineId: 'B' };
const silent = (): Promise<never> => Promise.reject(new UnavailableError('docker', 'no engine'));

describe('the check of removed containers', () => {
  it('the audit looks on the engine of the row, else on the engine of the record', async () => {
    const looks: string[] = [];
    const engines = anEngine({
      names: () => ['default', 'blue', 'green'],
      look: async (engine, containerId) => {
        looks.push(`${engine} ${containerId.slice(0, 2)}`);
        return { kind: 'gone' };
      },
    });
    const records = [
      aRemoved({ gameId: 'a', engine: 'blue', engineOfRemoval: 'green' }),
      aRemoved({ gameId: 'b', engine: 'blue', engineOfRemoval: '' }),
      aRemoved({ gameId: 'c', engine: 'blue', containerId: OTHER_CONTAINER_ID, containerOfRemoval: '' }),
    ];
    const { removed_is_gone: report } = await audited(auditDeps({ records }, { engines }));
    expect(looks.toSorted()).toEqual(['blue a1', 'blue b2', 'green a1']);
    expect(report).toMatchObject({ status: 'holds', checked: 3 });
  });

  it('an engine without an address makes the invariant unknown, with one warning for all its records', async () => {
    const records = ['a', 'b'].map((gameId) => aRemoved({ gameId, engineOfRemoval: 'retired' }));
    const { removed_is_gone: report } = await audited(auditDeps({ records }));
    expect(report).toMatchObject({ status: 'unknown', checked: 0, warnings: 1, broken: 0 });
    expect(report.findings[0]?.what).toContain('2 containers of removed records belong to the engine "retired"');
  });

  it('the audit does not believe an engine with another identity', async () => {
    const engines = anEngine({ identify: async () => other });
    const reports = await audited(auditDeps({ records: [aRemoved()] }, { engines, registry: registry([stored()]) }));
    expect(reports.removed_is_gone).toMatchObject({ status: 'unknown', checked: 0 });
    expect(reports.removed_is_gone.reason).toContain('runtime-cleanup engines accept default');
    expect(reports.container_has_record.status).toBe('unknown');
  });

  it('an engine that is silent leaves the containers of the others to be checked', async () => {
    const engines = anEngine({
      names: () => ['default', 'blue'],
      identify: (name) => (name === 'blue' ? silent() : Promise.resolve(IDENTITY)),
    });
    const records = [aRemoved({ gameId: 'a' }), aRemoved({ gameId: 'b', engineOfRemoval: 'blue' })];
    const { removed_is_gone: report } = await audited(auditDeps({ records }, { engines }));
    expect(report).toMatchObject({ status: 'unknown', reason: 'no engine', checked: 1 });
  });
});

describe('containers with the label of this service', () => {
  const owned = (containerId: string, gameLabel: string | null = 'game-1'): OwnedContainer => ({
    containerId,
    gameLabel,
    status: 'exited',
  });
  const run = async (
    listings: readonly (readonly OwnedContainer[])[],
    isNamed: (container: OwnedContainer) => boolean,
    record: ContainerNaming['record'] = null,
  ) => {
    const rest = [...listings];
    const list: AuditEngines['owned'] = async () => (rest.length > 1 ? rest.shift() : rest[0]) ?? [];
    const deps = auditDeps({}, { engines: anEngine({ owned: list }) });
    const namesOf = async (_engine: string, containers: readonly OwnedContainer[]) =>
      containers.map((container) => ({ isNamed: isNamed(container), record }));
    return (await audited({ ...deps, records: { ...deps.records, namesOf } })).container_has_record;
  };

  it('containers that a live record names are sound and counted', async () => {
    const report = await run([[owned(CONTAINER_ID), owned(OTHER_CONTAINER_ID)]], () => true);
    expect(report).toMatchObject({ status: 'holds', checked: 2, warnings: 0 });
  });

  it('orphans are warnings, one for each game', async () => {
    const containers = [owned(CONTAINER_ID), owned(OTHER_CONTAINER_ID), owned('c3'.repeat(32), null)];
    const report = await run([containers], () => false);
    expect(report).toMatchObject({ status: 'holds', checked: 3, broken: 0, warnings: 2 });
    expect(report.findings.map(({ gameId }) => gameId)).toEqual(['game-1', null]);
  });

  it('a container that is removed or named a moment later is no orphan', async () => {
    expect(await run([[owned(CONTAINER_ID)], []], () => false)).toMatchObject({ warnings: 0 });
  });

  it('an engine that cannot list its containers makes the invariant unknown', async () => {
    const engines = anEngine({ owned: silent });
    const { container_has_record: report } = await audited(auditDeps({}, { engines }));
    expect(report).toMatchObject({ status: 'unknown', reason: 'no engine' });
  });
});

describe('the identity of engines', () => {
  it('an engine with its stored identity is sound, and one that was never used is noted', async () => {
    const engines = anEngine({ names: () => ['default', 'blue'] });
    const { engine_is_same: report } = await audited(auditDeps({}, { engines, registry: registry([stored()]) }));
    expect(report).toMatchObject({ status: 'holds', checked: 2, broken: 0 });
    expect(report.notes).toEqual([expect.stringContaining('"blue" has not been used yet')]);
  });

  it('another identity at the address is broken', async () => {
    const engines = anEngine({ identify: async () => other });
    const { engine_is_same: report } = await audited(auditDeps({}, { engines, registry: registry([stored()]) }));
    expect(report).toMatchObject({ status: 'broken', broken: 1 });
  });

  it('a silent engine makes the invariant unknown', async () => {
    const { engine_is_same: report } = await audited(auditDeps({}, { engines: anEngine({ identify: silent }) }));
    expect(report).toMatchObject({ status: 'unknown', reason: 'no engine', checked: 0 });
  });

  it('live records of an engine without an address are one warning', async () => {
    const deps = auditDeps(
      {},
      {
        registry: registry(
          [stored()],
          [
            ['default', 4],
            ['green', 9],
          ],
        ),
      },
    );
    const { engine_is_same: report } = await audited(deps);
    expect(report).toMatchObject({ status: 'holds', warnings: 1 });
    expect(report.findings[0]?.what).toContain('9 records that are not removed belong to the engine "green"');
  });
});
