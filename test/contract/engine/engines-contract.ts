import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ContainerLooks, EngineRegistry } from '../../../src/engines/engine-ports.js';
import {
  ADA,
  describeContainerLooks,
  ENGINE,
  type EnginesHarness,
  idOf,
  OTHER,
  recordOf,
  subject,
} from './container-looks-contract.js';

/** What every implementation of `EngineRegistry` and `ContainerLooks` promises; they share their tables. */
export function enginesContract(name: string, open: () => Promise<EnginesHarness>): void {
  describe(`engines: ${name}`, () => {
    let harness: EnginesHarness;
    let registry: EngineRegistry;
    let looks: ContainerLooks;
    beforeAll(async () => {
      harness = await open();
      ({ registry, looks } = harness);
    });
    afterAll(() => harness.close());
    beforeEach(() => harness.clear());

    describe('seen', () => {
      test('the first identity of an engine is stored as its own', async () => {
        const first = await registry.seen('default', ENGINE);
        expect(first).toMatchObject({
          name: 'default',
          identity: ENGINE,
          observed: null,
          observedAt: null,
          missing: 0,
        });
        expect(await registry.list()).toEqual([first]);
      });

      test('the same identity is noted with its time, every half minute', async () => {
        const first = await registry.seen('default', ENGINE);
        expect((await registry.seen('default', ENGINE)).lastSeenAt).toEqual(first.lastSeenAt);
        await harness.passTime(60_000);
        const later = await registry.seen('default', ENGINE);
        expect(later.lastSeenAt.getTime() - later.firstSeenAt.getTime()).toBeGreaterThanOrEqual(60_000);
      });

      test.each([
        ['id', { ...ENGINE, engineId: 'engine-2' }],
        ['data folder', OTHER],
        ['storage driver', { ...ENGINE, storageDriver: 'vfs' }],
      ])('an identity with another %s is kept beside the engine’s own until that answers', async (_field, other) => {
        await registry.seen('default', ENGINE);
        const mismatch = await registry.seen('default', other);
        expect(mismatch).toMatchObject({ identity: ENGINE, observed: other, observedAt: expect.any(Date) });
        expect(await registry.seen('default', other)).toMatchObject({ observedAt: mismatch.observedAt });
        const matched = await registry.seen('default', ENGINE);
        expect(matched).toMatchObject({ identity: ENGINE, observed: null, observedAt: null });
        expect(await registry.list()).toEqual([matched]);
      });

      test('of concurrent first uses one stores the identity, and all get it', async () => {
        const seen = await Promise.all(Array.from({ length: 10 }, () => registry.seen('default', ENGINE)));
        expect(new Set(seen.map(({ identity }) => JSON.stringify(identity)))).toEqual(
          new Set([JSON.stringify(ENGINE)]),
        );
        expect(await registry.list()).toHaveLength(1);
      });
    });

    describe('list', () => {
      test('the engines are listed in the order of their names', async () => {
        for (const engine of ['venus', 'default', 'mars']) await registry.seen(engine, ENGINE);
        expect((await registry.list()).map((engine) => engine.name)).toEqual(['default', 'mars', 'venus']);
      });

      test('missing containers are counted for each engine by itself, where a stopped record names them', async () => {
        for (const engine of ['default', 'mars']) await registry.seen(engine, ENGINE);
        await harness.put(recordOf(1));
        await harness.put(recordOf(2, { status: 'removed' }));
        await harness.put(recordOf(3, { currentContainerId: idOf(9) }));
        for (const n of [1, 2, 3]) await looks.foundGone(subject(n));
        expect((await registry.list()).map(({ missing }) => missing)).toEqual([1, 0]);
      });
    });

    describe('accept', () => {
      test.each(['mars', '', 'default\0', 'default\uD800'])(
        'an engine that was never seen is not accepted: %j',
        async (unknown) => {
          await registry.seen('default', ENGINE);
          await registry.seen('default', OTHER);
          expect(await registry.accept(unknown, ADA)).toBeUndefined();
          expect(await registry.list()).toMatchObject([{ identity: ENGINE, observed: OTHER }]);
          expect(await harness.operations()).toEqual([]);
        },
      );

      test('an engine with nothing to accept is not changed, and no row is logged', async () => {
        const seen = await registry.seen('default', ENGINE);
        expect(await registry.accept('default', ADA)).toEqual({ replaced: null, engine: seen, gone: [] });
        expect(await registry.list()).toEqual([seen]);
        expect(await harness.operations()).toEqual([]);
      });

      test('the observed identity becomes the engine’s own, with who accepted it and one row in the log', async () => {
        await registry.seen('default', ENGINE);
        await registry.seen('default', OTHER);
        const acceptance = await registry.accept('default', ADA);
        expect(acceptance).toMatchObject({
          replaced: ENGINE,
          engine: {
            identity: OTHER,
            observed: null,
            observedAt: null,
            acceptedBy: 'ada',
            acceptedAt: expect.any(Date),
          },
          gone: [],
        });
        expect(await registry.list()).toEqual([acceptance?.engine]);
        expect(await registry.accept('default', ADA)).toMatchObject({ replaced: null, gone: [] });
        expect(await harness.operations()).toMatchObject([
          {
            gameId: '',
            opKind: 'accept_engine',
            opSource: 'operator_cli',
            engine: 'default',
            actor: 'ada',
            errorMessage:
              'identity accepted: id engine-1, root /mnt/docker, driver overlay2 instead of ' +
              'id engine-1, root /var/lib/docker, driver overlay2; 0 missing containers accepted as gone',
          },
        ]);
        expect(await registry.seen('default', OTHER)).toMatchObject({ identity: OTHER, observed: null });
      });

      test('exactly the missing containers of this engine are accepted as gone', async () => {
        for (const engine of ['default', 'mars']) await registry.seen(engine, ENGINE);
        for (const n of [1, 2, 3, 5]) await harness.put(recordOf(n));
        await harness.put(recordOf(4, { status: 'removed' }));
        // Not in the order of the games.
        for (const n of [5, 1, 4]) await looks.foundGone(subject(n));
        await looks.foundPresent(subject(2));
        await looks.foundGone(subject(3, { engine: 'mars' }));
        const acceptance = await registry.accept('default', ADA);
        expect(acceptance).toMatchObject({ replaced: null, engine: { missing: 0 }, gone: ['game-1', 'game-5'] });
        expect((await registry.list()).map(({ missing }) => missing)).toEqual([0, 1]);
        expect(await looks.foundGone(subject(1))).toMatchObject({ accepted: true, goneLooks: 1 });
        expect(await looks.foundGone(subject(2))).toMatchObject({ accepted: false });
        expect(await looks.foundGone(subject(3, { engine: 'mars' }))).toMatchObject({ accepted: false });
        expect(await looks.foundGone(subject(4))).toMatchObject({ accepted: false });
      });

      test('an accepted container that is found present again is no longer accepted', async () => {
        await registry.seen('default', ENGINE);
        await harness.put(recordOf(1));
        await looks.foundGone(subject(1));
        await registry.accept('default', ADA);
        expect(await looks.foundGone(subject(1))).toMatchObject({ accepted: true, goneLooks: 0 });
        await looks.foundPresent(subject(1));
        expect(await looks.foundGone(subject(1))).toMatchObject({ accepted: false });
      });
    });

    test('the names that records give to engines are counted, without those of removed records', async () => {
      const unnamed = [null, '', ' '].map((dockerHost, n) => recordOf(n, { dockerHost }));
      const mars = recordOf(3, { dockerHost: ' mars ', status: 'running' });
      for (const record of [...unnamed, mars, recordOf(4, { dockerHost: 'venus', status: 'removed' })]) {
        await harness.put(record);
      }
      expect(await registry.named()).toEqual(
        new Map([
          ['default', 3],
          ['mars', 1],
        ]),
      );
    });

    describeContainerLooks(() => harness);
  });
}
