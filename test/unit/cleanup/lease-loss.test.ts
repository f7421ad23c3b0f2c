/** The house's one idea, seen whole: the real lease scope round the real service, and time moved by hand. */
import { describe, expect, it } from 'vitest';
import { createLeases } from '../../../src/lease/with-lease.js';
import { aCommand, createWorld, idle, type World } from '../../support/cleanup-world.js';
import { createManualClock, type ManualClock } from '../../support/manual-clock.js';

const calm = new AbortController().signal;
const TTL_MS = 6_000;

interface Scene {
  readonly world: World;
  readonly clock: ManualClock;
  /** What the lease store answers to renewals from now on. */
  renewal: boolean;
}

function setUp(): Scene {
  const clock = createManualClock();
  const store = { acquire: async () => true, renew: async () => scene.renewal, release: async () => true };
  const leases = createLeases(
    { store, clock, newToken: () => 'token'.repeat(9), releaseFailed: () => undefined },
    { ttlMs: TTL_MS },
  );
  const scene: Scene = { world: createWorld(leases), clock, renewal: true };
  return scene;
}

const never = <T>(signal: AbortSignal): Promise<T> =>
  new Promise((_resolve, reject) => {
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- an abort reason is passed on as it is
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });

describe('a lease lost', () => {
  it('a lease lost during the look ends the look, and no removal follows', async () => {
    const scene = setUp();
    scene.world.look = never;
    const ended = scene.world.service.handle(aCommand(), calm);
    scene.renewal = false;
    await scene.clock.advance(TTL_MS);
    expect(await ended).toMatchObject({ errorCode: 'lease_lost' });
    expect(scene.world.journal).toEqual(['take game-1', 'turn', 'look', 'release']);
    expect(scene.world.rows).toMatchObject([{ errorCode: 'lease_lost' }]);
  });

  it('a lease lost between look and removal is noticed on the line before the removal', async () => {
    const scene = setUp();
    scene.world.look = async () => {
      // The process is frozen for longer than the lease lives: no timer fires, yet time has passed.
      scene.clock.skip(TTL_MS);
      return idle;
    };
    expect(await scene.world.service.handle(aCommand(), calm)).toMatchObject({ errorCode: 'lease_lost' });
    expect(scene.world.journal).not.toContain('remove');
  });

  it('a lease lost while the evidence is stored is noticed on the line before the removal', async () => {
    const scene = setUp();
    scene.world.removalIsNext = async () => scene.clock.skip(TTL_MS);
    expect(await scene.world.service.handle(aCommand(), calm)).toMatchObject({ errorCode: 'lease_lost' });
    expect(scene.world.journal).toEqual(['take game-1', 'turn', 'look', 'removal is next', 'release']);
  });

  it('a lease lost while it is judged whether the container is gone leaves the record as it is', async () => {
    const scene = setUp();
    scene.world.look = async () => ({ kind: 'gone' });
    scene.world.judgeGone = async () => {
      scene.clock.skip(TTL_MS);
      return { believed: true, removal: 'already_gone' };
    };
    expect(await scene.world.service.handle(aCommand(), calm)).toMatchObject({ errorCode: 'lease_lost' });
    expect(scene.world.journal).not.toContain('mark');
    expect(scene.world.record).toMatchObject({ status: 'stopped' });
  });

  it('a lease lost during the removal ends the wait for it, and the record is not changed', async () => {
    const scene = setUp();
    scene.world.remove = never;
    const ended = scene.world.service.handle(aCommand(), calm);
    scene.renewal = false;
    await scene.clock.advance(TTL_MS);
    expect(await ended).toMatchObject({
      errorCode: 'lease_lost',
      errorMessage: expect.stringMatching(/; the removal was asked for and may be carried out, and the next attempt/),
    });
    expect(scene.world.journal).toEqual(['take game-1', 'turn', 'look', 'removal is next', 'remove', 'release']);
    expect(scene.world.record).toMatchObject({ status: 'stopped' });
  });

  it('a lease whose renewals are answered is never lost: a removal ten times as long as the TTL succeeds', async () => {
    const scene = setUp();
    let done = (): void => undefined;
    scene.world.remove = () =>
      new Promise((resolve) => {
        done = () => resolve({ kind: 'gone', ours: true });
      });
    const ended = scene.world.service.handle(aCommand(), calm);
    await scene.clock.advance(10 * TTL_MS);
    done();
    expect(await ended).toMatchObject({ outcome: 'success', errorCode: '' });
  });
});
