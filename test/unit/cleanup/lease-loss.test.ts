/** The service under the real lease scope and a clock that the test moves: after a lost lease no removal may follow. */
import { describe, expect, it } from 'vitest';
import { createLeases } from '../../../src/lease/with-lease.js';
import { aCommand, createWorld, idle, type World } from '../../support/cleanup-world.js';
import { createManualClock, type ManualClock } from '../../support/manual-clock.js';
import { neverAborted, untilAborted } from '../../support/calls.js';

const TTL_MS = 6_000;

interface Scene {
  readonly world: World;
  readonly clock: ManualClock;
  /** What the lease store answers to the next renewals. */
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

describe('a lost lease', () => {
  it('a lease lost during the look ends the look, and no removal follows', async () => {
    const scene = setUp();
    scene.world.look = untilAborted;
    const ended = scene.world.service.handle(aCommand(), neverAborted);
    scene.renewal = false;
    await scene.clock.advance(TTL_MS);
    expect(await ended).toMatchObject({ errorCode: 'lease_lost' });
    expect(scene.world.journal).toEqual(['take game-1', 'turn', 'look', 'release']);
    expect(scene.world.rows).toMatchObject([{ errorCode: 'lease_lost' }]);
  });

  it('a lease lost between look and removal is noticed on the line before the removal', async () => {
    const scene = setUp();
    scene.world.look = async () => {
      // The process is frozen for longer than the TTL: time has passed, but no timer fired.
      scene.clock.skip(TTL_MS);
      return idle;
    };
    expect(await scene.world.service.handle(aCommand(), neverAborted)).toMatchObject({ errorCode: 'lease_lost' });
    expect(scene.world.journal).not.toContain('remove');
  });

  it('a lease lost while the evidence is stored is noticed on the line before the removal', async () => {
    const scene = setUp();
    scene.world.removalIsNext = async () => scene.clock.skip(TTL_MS);
    expect(await scene.world.service.handle(aCommand(), neverAborted)).toMatchObject({ errorCode: 'lease_lost' });
    expect(scene.world.journal).toEqual(['take game-1', 'turn', 'look', 'removal is next', 'release']);
  });

  it('a lease lost while it is judged whether the container is gone leaves the record as it is', async () => {
    const scene = setUp();
    scene.world.look = async () => ({ kind: 'gone' });
    scene.world.judgeGone = async () => {
      scene.clock.skip(TTL_MS);
      return { believed: true, removal: 'already_gone' };
    };
    expect(await scene.world.service.handle(aCommand(), neverAborted)).toMatchObject({ errorCode: 'lease_lost' });
    expect(scene.world.journal).not.toContain('mark');
    expect(scene.world.record).toMatchObject({ status: 'stopped' });
  });

  it('a lease lost during the removal ends the wait for it, and the record is not changed', async () => {
    const scene = setUp();
    scene.world.remove = untilAborted;
    const ended = scene.world.service.handle(aCommand(), neverAborted);
    scene.renewal = false;
    await scene.clock.advance(TTL_MS);
    expect(await ended).toMatchObject({
      errorCode: 'lease_lost',
      errorMessage: expect.stringMatching(/; the removal was asked for and may be carried out, and the next attempt/),
    });
    expect(scene.world.journal).toEqual(['take game-1', 'turn', 'look', 'removal is next', 'remove', 'release']);
    expect(scene.world.record).toMatchObject({ status: 'stopped' });
  });

  it('a lease whose renewals succeed is not lost during a removal of ten times the TTL', async () => {
    const scene = setUp();
    let done = (): void => undefined;
    scene.world.remove = () =>
      new Promise((resolve) => {
        done = () => resolve({ kind: 'gone', ours: true });
      });
    const ended = scene.world.service.handle(aCommand(), neverAborted);
    await scene.clock.advance(10 * TTL_MS);
    done();
    expect(await ended).toMatchObject({ outcome: 'success', errorCode: '' });
  });
});
