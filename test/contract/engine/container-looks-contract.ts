import { beforeEach, describe, expect, test } from 'vitest';
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

export const ENGINE: EngineIdentity = { engineId: 'engine-1', rootDir: '/var/lib/docker', storageDriver: 'overlay2' };
export const OTHER: EngineIdentity = { ...ENGINE, rootDir: '/mnt/docker' };
export const ADA = { name: 'ada', opSource: 'operator_cli' } as const;

export const idOf = (n: number): string => n.toString(16).padStart(64, '0');
export const subject = (n: number, over: Partial<LookSubject> = {}): LookSubject => ({
  engine: 'default',
  containerId: idOf(n),
  gameId: `game-${n}`,
  jobId: `job-${n}`,
  ...over,
});
export const recordOf = (n: number, over: Partial<RuntimeRecord> = {}): RuntimeRecord =>
  aRecord({ gameId: `game-${n}`, currentContainerId: idOf(n), ...over });

/** The part of the suite of engines that is about looks at containers; `harnessOf` is called in the tests alone. */
export function describeContainerLooks(harnessOf: () => EnginesHarness): void {
  let harness: EnginesHarness;
  let registry: EngineRegistry;
  let looks: ContainerLooks;
  beforeEach(() => {
    harness = harnessOf();
    ({ registry, looks } = harness);
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

    const acceptMissing = async (): Promise<unknown> => {
      await harness.put(recordOf(3));
      await looks.foundGone(subject(3));
      return registry.accept('default', ADA);
    };

    test.each<[string, () => Promise<unknown>]>([
      ['the looks are forgotten', () => registry.forgetLooks('default')],
      ['another engine answered', () => registry.seen('default', OTHER)],
      ['missing containers are accepted', acceptMissing],
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
}
