import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RuntimeRecord } from '../../../src/domain/runtime-record.js';
import type { EngineIdentity, EngineRegistry } from '../../../src/engines/engine-ports.js';
import type { MissingLook } from '../../support/fakes/engine-registry.js';
import { aRecord, CONTAINER_ID, OTHER_CONTAINER_ID } from '../../support/records.js';

export interface EngineRegistryHarness {
  readonly engines: EngineRegistry;
  readonly put: (record: RuntimeRecord) => Promise<void>;
  readonly noteMissing: (look: MissingLook) => Promise<void>;
  readonly clear: () => Promise<void>;
  readonly close: () => Promise<void>;
}

const OWN: EngineIdentity = { engineId: 'own', rootDir: '/var/lib/docker', storageDriver: 'overlay2' };
const OTHER: EngineIdentity = { ...OWN, engineId: 'other' };
const KIM = { name: 'kim', opSource: 'operator_cli' } as const;
const LOOK = { engine: 'default', gameId: 'game-1', containerId: CONTAINER_ID };

/** What every implementation of `EngineRegistry` promises to operators. */
export function engineRegistryContract(name: string, open: () => Promise<EngineRegistryHarness>): void {
  describe(`engine registry: ${name}`, () => {
    let harness: EngineRegistryHarness;
    let engines: EngineRegistry;
    beforeAll(async () => {
      harness = await open();
      ({ engines } = harness);
    });
    afterAll(() => harness.close());
    beforeEach(() => harness.clear());

    describe('seen', () => {
      test('stores the first identity of an engine', async () => {
        const first = await engines.seen('default', OWN);
        expect(first).toMatchObject({ name: 'default', identity: OWN, observed: null, observedAt: null, missing: 0 });
        expect(await engines.list()).toEqual([first]);
      });

      test.each([
        ['id', OTHER],
        ['data folder', { ...OWN, rootDir: '/mnt/docker' }],
        ['storage driver', { ...OWN, storageDriver: 'vfs' }],
      ])('keeps the stored identity when the %s differs, and notes the other', async (_field, other) => {
        await engines.seen('default', OWN);
        const found = await engines.seen('default', other);
        expect(found).toMatchObject({ identity: OWN, observed: other });
        expect(found.observedAt).toBeInstanceOf(Date);
      });

      test('forgets the other identity when the own one answers again', async () => {
        await engines.seen('default', OWN);
        await engines.seen('default', OTHER);
        await engines.seen('default', OWN);
        expect(await engines.list()).toMatchObject([{ identity: OWN, observed: null, observedAt: null }]);
      });
    });

    describe('list', () => {
      test('has the engines in the order of their names', async () => {
        for (const engine of ['eu-2', 'default', 'eu-1']) await engines.seen(engine, OWN);
        expect((await engines.list()).map((engine) => engine.name)).toEqual(['default', 'eu-1', 'eu-2']);
      });

      test('counts the missing containers of stopped records, of each engine by itself', async () => {
        await engines.seen('default', OWN);
        await engines.seen('eu-1', OWN);
        await harness.put(aRecord());
        await harness.put(aRecord({ gameId: 'removed', status: 'removed' }));
        await harness.put(aRecord({ gameId: 'replaced', currentContainerId: 'd4'.repeat(32) }));
        await harness.noteMissing(LOOK);
        await harness.noteMissing({ ...LOOK, gameId: 'removed', containerId: OTHER_CONTAINER_ID });
        await harness.noteMissing({ ...LOOK, gameId: 'replaced', containerId: 'c3'.repeat(32) });
        expect((await engines.list()).map(({ missing }) => missing)).toEqual([1, 0]);
      });
    });

    describe('accept', () => {
      test('makes the other identity the own one, and says which was replaced and by whom', async () => {
        await engines.seen('default', OWN);
        await engines.seen('default', OTHER);
        const accepted = await engines.accept('default', KIM);
        expect(accepted).toMatchObject({
          replaced: OWN,
          engine: { identity: OTHER, observed: null, observedAt: null, acceptedBy: 'kim' },
          gone: [],
        });
        expect(await engines.list()).toEqual([accepted?.engine]);
        expect(await engines.seen('default', OTHER)).toMatchObject({ identity: OTHER, observed: null });
      });

      test('lets exactly the containers that are missing now be believed gone', async () => {
        await engines.seen('default', OWN);
        await engines.seen('eu-1', OWN);
        const third = 'c3'.repeat(32);
        await harness.put(aRecord({ gameId: 'game-2', currentContainerId: OTHER_CONTAINER_ID }));
        await harness.put(aRecord());
        await harness.put(aRecord({ gameId: 'game-3', currentContainerId: third }));
        await harness.put(aRecord({ gameId: 'removed', status: 'removed', currentContainerId: 'd4'.repeat(32) }));
        await harness.noteMissing({ ...LOOK, gameId: 'game-2', containerId: OTHER_CONTAINER_ID });
        await harness.noteMissing(LOOK);
        await harness.noteMissing({ ...LOOK, gameId: 'removed', containerId: 'd4'.repeat(32) });
        await harness.noteMissing({ ...LOOK, engine: 'eu-1', gameId: 'game-3', containerId: third });
        const accepted = await engines.accept('default', KIM);
        expect(accepted).toMatchObject({ replaced: null, engine: { missing: 0 }, gone: ['game-1', 'game-2'] });
        expect((await engines.list()).map(({ missing }) => missing)).toEqual([0, 1]);
      });

      test('changes nothing where there is nothing to accept', async () => {
        const seen = await engines.seen('default', OWN);
        expect(await engines.accept('default', KIM)).toEqual({ replaced: null, engine: seen, gone: [] });
        expect(await engines.list()).toEqual([seen]);
      });

      test.each(['unknown', '', 'default\0', 'default\uD800'])('knows no engine %j', async (unknown) => {
        await engines.seen('default', OWN);
        await engines.seen('default', OTHER);
        expect(await engines.accept(unknown, KIM)).toBeUndefined();
        expect(await engines.list()).toMatchObject([{ identity: OWN, observed: OTHER }]);
      });
    });

    test('named counts the records of each engine that are not removed', async () => {
      const none = [null, '', ' '].map((dockerHost, n) => aRecord({ gameId: `default-${n}`, dockerHost }));
      const records = [
        ...none,
        aRecord({ gameId: 'eu', dockerHost: ' eu-1 ', status: 'running' }),
        aRecord({ gameId: 'gone', dockerHost: 'eu-2', status: 'removed' }),
      ];
      for (const record of records) await harness.put(record);
      expect(await engines.named()).toEqual(
        new Map([
          ['default', 3],
          ['eu-1', 1],
        ]),
      );
    });
  });
}
