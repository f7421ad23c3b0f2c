/** What the cleanup service does with a turn at an engine, and with an engine that says "no such container". */
import { describe, expect, it } from 'vitest';
import type { Held } from '../../../src/cleanup/ports.js';
import { aCommand, createWorld, idle } from '../../support/cleanup-world.js';
import { aRecord, CONTAINER_ID } from '../../support/records.js';

const calm = new AbortController().signal;
const DOUBT = 'the engine shows no other container; run "runtime-cleanup engines accept default"';

describe('a container that the engine says is gone', () => {
  it('a container that is believed gone at the look is a success without a removal, which the row says', async () => {
    const world = createWorld();
    world.look = async () => ({ kind: 'gone' });
    const result = await world.service.handle(aCommand(), calm);
    expect(result).toMatchObject({ outcome: 'success', errorCode: '', removal: 'already_gone' });
    expect(world.journal).toEqual(['take game-1', 'turn', 'look', 'judge gone', 'mark', 'release']);
    expect(world.rows).toMatchObject([{ removal: 'already_gone', engine: 'default', containerId: CONTAINER_ID }]);
  });

  it('a container that is not believed gone at the look is an engine_mismatch, and the record stays', async () => {
    const world = createWorld();
    world.look = async () => ({ kind: 'gone' });
    world.judgeGone = async () => ({ believed: false, why: DOUBT });
    const result = await world.service.handle(aCommand(), calm);
    expect(result).toMatchObject({ errorCode: 'engine_mismatch', errorMessage: DOUBT, record: null, removal: '' });
    expect(world.journal).toEqual(['take game-1', 'turn', 'look', 'judge gone', 'release']);
    expect(world.rows).toMatchObject([{ outcome: 'failure', errorCode: 'engine_mismatch', removal: '' }]);
    expect(world.record).toMatchObject({ status: 'stopped' });
  });

  it('an engine that answers our removal with its own success needs no evidence, because the container was there', async () => {
    const world = createWorld();
    world.judgeGone = () => expect.unreachable('nothing is to be judged');
    expect(await world.service.handle(aCommand(), calm)).toMatchObject({ errorCode: '', removal: 'removed' });
  });

  it('a container found gone after our removal was sent is judged with that, and counts as removed', async () => {
    const world = createWorld();
    world.remove = async () => ({ kind: 'gone', ours: false });
    const result = await world.service.handle(aCommand(), calm);
    expect(result).toMatchObject({ outcome: 'success', removal: 'removed' });
    const steps = ['look', 'removal is next', 'remove', 'judge gone after a removal', 'mark'];
    expect(world.journal).toEqual(['take game-1', 'turn', ...steps, 'release']);
  });

  it('a container found gone after our removal, on another engine, is an engine_mismatch all the same', async () => {
    const world = createWorld();
    world.remove = async () => ({ kind: 'gone', ours: false });
    world.judgeGone = async () => ({ believed: false, why: DOUBT });
    expect(await world.service.handle(aCommand(), calm)).toMatchObject({ errorCode: 'engine_mismatch' });
    expect(world.journal).not.toContain('mark');
  });
});

describe('the look at a container that is left alone', () => {
  it('a container that runs is stored as present, as evidence for other containers', async () => {
    const world = createWorld();
    world.look = async () => ({ ...idle, activity: 'running' });
    expect(await world.service.handle(aCommand(), calm)).toMatchObject({ errorCode: 'conflict' });
    expect(world.journal).toEqual(['take game-1', 'turn', 'look', 'found present for job 42 of game-1', 'release']);
  });
});

describe('a record that names no container', () => {
  const withoutContainer = () => {
    const world = createWorld();
    world.record = aRecord({ currentContainerId: null });
    return world;
  };

  it('a game without a container and without a labelled one is marked as removed, by "none"', async () => {
    const world = withoutContainer();
    const result = await world.service.handle(aCommand(), calm);
    expect(result).toMatchObject({ outcome: 'success', errorMessage: '', removal: 'none' });
    expect(world.journal).toEqual(['take game-1', 'turn', 'list game-1', 'mark', 'release']);
  });

  it('a labelled container that does not run is named in the row and never removed', async () => {
    const world = withoutContainer();
    world.labelled = async () => [{ containerId: CONTAINER_ID, status: 'exited', isActive: false }];
    const words = expect.stringContaining(`left alone, because a label proves no identity: ${CONTAINER_ID} (exited)`);
    expect(await world.service.handle(aCommand(), calm)).toMatchObject({ removal: 'none', errorMessage: words });
    expect(world.rows).toMatchObject([{ outcome: 'success', errorMessage: words, removal: 'none' }]);
    expect(world.journal).not.toContain('remove');
  });

  it('a labelled container that runs is a conflict, and the record stays', async () => {
    const world = withoutContainer();
    world.labelled = async () => [{ containerId: CONTAINER_ID, status: 'running', isActive: true }];
    expect(await world.service.handle(aCommand(), calm)).toMatchObject({ errorCode: 'conflict' });
    expect(world.record).toMatchObject({ status: 'stopped' });
    expect(world.journal).toEqual(['take game-1', 'turn', 'list game-1', 'release']);
  });
});

describe('a removed record that still names a container', () => {
  it('a removed record whose container is gone is a plain replay', async () => {
    const world = createWorld();
    world.record = aRecord({ status: 'removed' });
    world.look = async () => ({ kind: 'gone' });
    expect(await world.service.handle(aCommand(), calm)).toMatchObject({
      errorCode: 'replay_no_op',
      errorMessage: 'the container was removed before',
      removal: '',
    });
    expect(world.journal).toEqual(['take game-1', 'turn', 'look', 'release']);
  });

  it('a removed record whose container exists is a replay that says so, and the container is left alone', async () => {
    const world = createWorld();
    world.record = aRecord({ status: 'removed' });
    expect(await world.service.handle(aCommand(), calm)).toMatchObject({
      errorCode: 'replay_no_op',
      errorMessage: `the record says removed, but its container ${CONTAINER_ID} exists (exited) and was left alone`,
    });
    expect(world.journal).toEqual(['take game-1', 'turn', 'look', 'release']);
  });
});

describe('the turn at an engine', () => {
  it('a record that names an engine is cleaned up there, and its row names that engine', async () => {
    const world = createWorld();
    world.record = aRecord({ dockerHost: ' mars ' });
    await world.service.handle(aCommand(), calm);
    expect(world.journal).toContain('turn at mars');
    expect(world.rows).toMatchObject([{ engine: 'mars' }]);
  });

  it.each([null, '', '  '])('a record whose docker_host is %j belongs to the default engine', async (dockerHost) => {
    const world = createWorld();
    world.record = aRecord({ dockerHost });
    await world.service.handle(aCommand(), calm);
    expect(world.rows).toMatchObject([{ engine: 'default' }]);
  });

  it('an engine that this process does not know is service_unavailable, and the message names both remedies', async () => {
    const world = createWorld();
    world.record = aRecord({ dockerHost: 'mars' });
    world.turn = () => undefined;
    expect(await world.service.handle(aCommand(), calm)).toMatchObject({
      errorCode: 'service_unavailable',
      errorMessage: expect.stringMatching(/^no engine is named "mars" here; .*RTMANAGER_DOCKER_HOSTS.*docker_host/),
    });
    expect(world.journal).toEqual(['take game-1', 'turn at mars']);
  });

  it('a held turn is passed on: nothing is asked of the engine, changed or logged', async () => {
    const world = createWorld();
    const held: Held = {
      outcome: 'held',
      errorCode: 'engine_mismatch',
      errorMessage: 'other',
      retryInMs: 5_000,
      firstRow: 'written',
    };
    world.turn = () => held;
    expect(await world.service.handle(aCommand(), calm)).toBe(held);
    expect(world.journal).toEqual(['take game-1', 'turn']);
    expect([world.rows, world.concluded]).toEqual([[], []]);
  });

  it.each(['look', 'removalIsNext', 'remove', 'mark'] as const)('a turn is given back when %s throws', async (step) => {
    const world = createWorld();
    world[step] = async () => {
      throw new TypeError('x is not a function');
    };
    await world.service.handle(aCommand(), calm);
    expect(world.journal.at(-1)).toBe('release');
  });
});
