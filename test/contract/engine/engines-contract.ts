import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RuntimeRecord } from '../../../src/domain/runtime-record.js';
import type { ContainerLooks, EngineIdentity, EngineRegistry, LookSubject } from '../../../src/engines/engine-ports.js';
import { aRecord } from '../../support/records.js';

export interface EnginesHarness {
  readonly registry: EngineRegistry;
  readonly looks: ContainerLooks;
  readonly put: (record: RuntimeRecord) => Promise<void>;
  /** The rows of the operation log, oldest first. */
  readonly operations: () => Promise<readonly unknown[]>;
  /** Makes all that is stored so much older. */
  readonly passTime: (ms: number) => Promise<void>;
  readonly clear: () => Promise<void>;
  readonly close: () => Promise<void>;
}

const ENGINE: EngineIdentity = { engineId: 'engine-1', rootDir: '/var/lib/docker', storageDriver: 'overlay2' };
const OTHER: EngineIdentity = { ...ENGINE, rootDir: '/mnt/docker' };
const ADA = { name: 'ada', opSource: 'operator_cli' } as const;

const idOf = (n: number): string => n.toString(16).padStart(64, '0');
const subject = (n: number, over: Partial<LookSubject> = {}): LookSubject => ({
  engine: 'default',
  containerId: idOf(n),
  gameId: `game-${n}`,
  jobId: `job-${n}`,
  ...over,
});
const recordOf = (n: number, over: Partial<RuntimeRecord> = {}): RuntimeRecord =>
  aRecord({ gameId: `game-${n}`, currentContainerId: idOf(n), ...over });

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
        expect(first).toMatchObject({ name: 'default', identity: ENGINE, observed: null, observedAt: null });
        expect(await registry.list()).toEqual([{ ...first, missing: 0 }]);
      });

      test('the same identity is noted with its time, every half minute', async () => {
        const first = await registry.seen('default', ENGINE);
        expect((await registry.seen('default', ENGINE)).lastSeenAt).toEqual(first.lastSeenAt);
        await harness.passTime(60_000);
        const later = await registry.seen('default', ENGINE);
        expect(later.lastSeenAt.getTime() - later.firstSeenAt.getTime()).toBeGreaterThanOrEqual(60_000);
      });

      test('another identity is kept beside the engine’s own until the right one answers', async () => {
        await registry.seen('default', ENGINE);
        const mismatch = await registry.seen('default', OTHER);
        expect(mismatch).toMatchObject({ identity: ENGINE, observed: OTHER, observedAt: expect.any(Date) });
        expect(await registry.seen('default', OTHER)).toMatchObject({ observedAt: mismatch.observedAt });
        expect(await registry.seen('default', ENGINE)).toMatchObject({ observed: null, observedAt: null });
      });

      test('of concurrent first uses one stores the identity, and all get it', async () => {
        const seen = await Promise.all(Array.from({ length: 10 }, () => registry.seen('default', ENGINE)));
        expect(new Set(seen.map(({ identity }) => JSON.stringify(identity)))).toEqual(
          new Set([JSON.stringify(ENGINE)]),
        );
        expect(await registry.list()).toHaveLength(1);
      });
    });

    describe('accept', () => {
      test('an engine that was never seen cannot be accepted', async () => {
        expect(await registry.accept('mars', ADA)).toBeUndefined();
        expect(await harness.operations()).toEqual([]);
      });

      test('the observed identity becomes the engine’s own, with who accepted it and a row in the log', async () => {
        await registry.seen('default', ENGINE);
        await registry.seen('default', OTHER);
        const acceptance = await registry.accept('default', ADA);
        expect(acceptance).toMatchObject({
          replaced: ENGINE,
          engine: { identity: OTHER, observed: null, acceptedBy: 'ada', acceptedAt: expect.any(Date) },
          gone: [],
        });
        expect(await harness.operations()).toMatchObject([
          {
            gameId: '',
            opKind: 'accept_engine',
            opSource: 'operator_cli',
            engine: 'default',
            actor: 'ada',
            errorMessage: expect.stringMatching(/^identity accepted: .*\/mnt.* instead of .*; 0 missing containers/),
          },
        ]);
        expect(await registry.seen('default', OTHER)).toMatchObject({ observed: null });
      });

      test('exactly the missing containers of this engine are accepted as gone', async () => {
        await registry.seen('default', ENGINE);
        await harness.put(recordOf(1));
        await looks.foundGone(subject(1));
        await looks.foundPresent(subject(2));
        await looks.foundGone(subject(3, { engine: 'mars' }));
        expect(await registry.list()).toMatchObject([{ missing: 1 }]);
        expect(await registry.accept('default', ADA)).toMatchObject({ replaced: null, gone: ['game-1'] });
        expect(await registry.list()).toMatchObject([{ missing: 0 }]);
        expect(await looks.foundGone(subject(1))).toMatchObject({ accepted: true, goneLooks: 0 });
        expect(await looks.foundGone(subject(2))).toMatchObject({ accepted: false });
        expect(await looks.foundGone(subject(3, { engine: 'mars' }))).toMatchObject({ accepted: false });
      });

      test('an accepted container that is found present again is no longer accepted', async () => {
        await registry.seen('default', ENGINE);
        await looks.foundGone(subject(1));
        await registry.accept('default', ADA);
        await looks.foundPresent(subject(1));
        expect(await looks.foundGone(subject(1))).toMatchObject({ accepted: false });
      });
    });

    test('the names that records give to engines are counted, without those of removed records', async () => {
      await harness.put(recordOf(1));
      await harness.put(recordOf(2, { dockerHost: ' ' }));
      await harness.put(recordOf(3, { dockerHost: 'mars', status: 'running' }));
      await harness.put(recordOf(4, { dockerHost: 'venus', status: 'removed' }));
      expect(await registry.named()).toEqual(
        new Map([
          ['default', 2],
          ['mars', 1],
        ]),
      );
    });

    describe('what is known of a container that is gone', () => {
      test('a removal was sent only where the same job has sent it', async () => {
        await looks.removalIsNext(subject(1));
        expect(await looks.foundGone(subject(1))).toMatchObject({ removalSent: true, goneLooks: 0 });
        expect(await looks.foundGone(subject(1, { jobId: 'another' }))).toMatchObject({ removalSent: false });
        expect(await looks.foundGone(subject(2))).toMatchObject({ removalSent: false, goneLooks: 2 });
      });

      test('a burst is counted by containers, of the newest 20, and not by looks', async () => {
        for (let n = 1; n <= 3; n++) await looks.foundGone(subject(1));
        expect(await looks.foundGone(subject(1))).toMatchObject({ goneLooks: 1 });
        for (let n = 2; n <= 25; n++) await looks.foundPresent(subject(n));
        expect(await looks.foundGone(subject(26))).toMatchObject({ goneLooks: 1 });
        expect(await looks.foundGone(subject(27))).toMatchObject({ goneLooks: 2 });
      });

      test('the looks of the day before are no part of a burst', async () => {
        await looks.foundGone(subject(1));
        await harness.passTime(86_400_001);
        expect(await looks.foundGone(subject(2))).toMatchObject({ goneLooks: 1 });
      });

      test('another container was seen recently only on the same engine, lately, and since its looks count', async () => {
        await registry.seen('default', ENGINE);
        await harness.passTime(10);
        await looks.foundPresent(subject(1));
        expect(await looks.foundGone(subject(1))).toMatchObject({ othersSeenRecently: false });
        await looks.foundPresent(subject(2));
        expect(await looks.foundGone(subject(1))).toMatchObject({ othersSeenRecently: true });
        expect(await looks.foundGone(subject(1, { engine: 'mars' }))).toMatchObject({ othersSeenRecently: false });
        await harness.passTime(30_001);
        expect(await looks.foundGone(subject(1))).toMatchObject({ othersSeenRecently: false });
      });

      test.each<[string, () => Promise<unknown>]>([
        ['the looks are forgotten', () => registry.forgetLooks('default')],
        ['another engine answered', () => registry.seen('default', OTHER)],
        ['the engine is accepted', () => registry.accept('default', ADA)],
      ])('a look at another container is no evidence any more once %s', async (_what, change) => {
        await registry.seen('default', ENGINE);
        await harness.passTime(10);
        await looks.foundPresent(subject(2));
        await change();
        expect(await looks.foundGone(subject(1))).toMatchObject({ othersSeenRecently: false });
      });

      test('the other containers are those of other live records on this engine, running ones first', async () => {
        await harness.put(recordOf(1));
        await harness.put(recordOf(2));
        await harness.put(recordOf(3, { status: 'running', dockerHost: '' }));
        await harness.put(recordOf(4, { dockerHost: 'mars' }));
        await harness.put(recordOf(5, { status: 'removed' }));
        await harness.put(recordOf(6, { currentContainerId: 'abc' }));
        await harness.put(recordOf(7, { currentContainerId: null }));
        expect(await looks.foundGone(subject(1))).toMatchObject({ others: [idOf(3), idOf(2)] });
      });

      test('other containers that are missing come last, and those whose removal was just sent are left out', async () => {
        for (let n = 1; n <= 4; n++) await harness.put(recordOf(n));
        await looks.foundGone(subject(2));
        await looks.removalIsNext(subject(3));
        expect(await looks.foundGone(subject(1))).toMatchObject({ others: [idOf(4), idOf(2)] });
        await harness.passTime(30_001);
        expect((await looks.foundGone(subject(1))).others).toHaveLength(3);
      });

      test('at most five other containers are given', async () => {
        for (let n = 1; n <= 9; n++) await harness.put(recordOf(n));
        expect((await looks.foundGone(subject(1))).others).toHaveLength(5);
      });
    });

    test('looks are forgotten after a week', async () => {
      await looks.removalIsNext(subject(1));
      await harness.passTime(7 * 86_400_000 - 60_000);
      await looks.forgetOld();
      expect(await looks.foundGone(subject(1))).toMatchObject({ removalSent: true });
      await harness.passTime(7 * 86_400_000 + 60_000);
      await looks.forgetOld();
      expect(await looks.foundGone(subject(1))).toMatchObject({ removalSent: false });
    });
  });
}
