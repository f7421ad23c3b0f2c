import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createContainerEngine } from '../../../src/adapters/docker/container-engine.js';
import type { ContainerEngine } from '../../../src/cleanup/ports.js';
import { systemClock } from '../../../src/async/clock.js';
import { holdRemoval, pinFile } from '../../support/engine/engine-files.js';
import { createTestContainers, type TestContainers } from '../../support/engine/test-containers.js';

let containers: TestContainers;
let engine: ContainerEngine;
const signal = new AbortController().signal;

beforeAll(async () => {
  containers = await createTestContainers(inject('engineSocket'));
  engine = createContainerEngine({ docker: containers.docker, clock: systemClock, timeoutMs: 30_000 });
});
afterAll(() => containers.clear());

test('a container whose files cannot be deleted becomes dead, and is removed once that is repaired', async () => {
  const id = await containers.make('exited');
  const unpin = pinFile(inject('engineDataRoot'), id);
  try {
    const why = expect.stringMatching(/unlinkat .*pinned: operation not permitted/) as string;
    const dead = {
      kind: 'present',
      activity: 'idle',
      gameLabel: 'game-1',
      detail: expect.stringMatching(/^dead: .+/) as string,
    };
    expect(await engine.remove(id, signal)).toMatchObject({ kind: 'still_there', state: dead, detail: why });
    expect(await engine.look(id, signal)).toMatchObject({ ...dead, detail: why });
    expect(await engine.remove(id, signal)).toMatchObject({ kind: 'still_there', state: dead, detail: why });
  } finally {
    unpin();
  }
  expect(await engine.remove(id, signal)).toEqual({ kind: 'gone', ours: true });
  expect(await engine.look(id, signal)).toEqual({ kind: 'gone' });
});

test('a container that is being removed is seen as such until it is gone', async () => {
  const id = await containers.make('created');
  const letGo = await holdRemoval(containers.docker, id);

  const first = engine.remove(id, signal);
  // The engine is at it until `letGo`, and announces nothing when it begins.
  let seen = await engine.look(id, signal);
  while (seen.kind === 'present' && seen.activity === 'idle') seen = await engine.look(id, signal);
  expect(seen).toEqual({ kind: 'present', gameLabel: 'game-1', activity: 'removing', detail: 'removing' });
  expect(await engine.remove(id, signal)).toMatchObject({
    kind: 'still_there',
    state: { kind: 'present', activity: 'removing' },
    detail: expect.stringMatching(/already in progress/) as string,
  });
  await letGo();
  expect(await first).toEqual({ kind: 'gone', ours: true });
  expect(await engine.look(id, signal)).toEqual({ kind: 'gone' });
});

test('a container whose name is the id of a removed one is not mistaken for it, and stays', async () => {
  const removed = await containers.make('created');
  expect(await engine.remove(removed, signal)).toEqual({ kind: 'gone', ours: true });
  const namesake = await containers.make('created', { name: removed, gameLabel: 'game-2' });
  // The engine itself is taken in.
  expect((await containers.docker.getContainer(removed).inspect()).Id).toBe(namesake);
  expect(await engine.look(removed, signal)).toEqual({ kind: 'gone' });
  expect(await containers.stateOf(namesake)).toBe('created');
});

test('a container that could never start is idle, with the reason', async () => {
  const id = await containers.make('created', { create: { Cmd: ['/no-such-program'] } });
  await expect(containers.docker.getContainer(id).start()).rejects.toThrow('no such file');
  expect(await engine.look(id, signal)).toMatchObject({
    activity: 'idle',
    detail: expect.stringMatching(/^created: .*no such file/) as string,
  });
  expect(await engine.remove(id, signal)).toEqual({ kind: 'gone', ours: true });
});

test('a container that removes itself when it ends is gone', async () => {
  const id = await containers.make('running', { create: { HostConfig: { AutoRemove: true } } });
  const gone = containers.docker.getContainer(id).wait({ condition: 'removed' }) as Promise<unknown>;
  await containers.docker.getContainer(id).kill();
  await gone;
  expect(await engine.look(id, signal)).toEqual({ kind: 'gone' });
  expect(await engine.remove(id, signal)).toEqual({ kind: 'gone', ours: false });
});

test('anonymous volumes go with their container; named volumes and bound folders stay', async () => {
  const volumesBefore = await volumeNames();
  const bound = join(inject('engineDataRoot'), `bound-${randomBytes(4).toString('hex')}`);
  const named = `named-${randomBytes(4).toString('hex')}`;
  const id = await containers.make('exited', {
    create: { Volumes: { '/anonymous': {} }, HostConfig: { Binds: [`${named}:/named`, `${bound}:/bound`] } },
  });
  try {
    const created = (await volumeNames()).filter((name) => !volumesBefore.includes(name));
    expect(created).toHaveLength(2);
    expect(await engine.remove(id, signal)).toEqual({ kind: 'gone', ours: true });
    const left = (await volumeNames()).filter((name) => created.includes(name));
    expect(left).toEqual([named]);
    writeFileSync(join(bound, 'still-there'), '');
  } finally {
    await containers.clear();
    await containers.docker.getVolume(named).remove();
    rmSync(bound, { recursive: true });
  }
});

const volumeNames = async (): Promise<readonly string[]> =>
  (await containers.docker.listVolumes()).Volumes.map(({ Name: name }) => name);

test('of a start and a removal at the same time one succeeds and the other is refused', async () => {
  for (let round = 0; round < 10; round += 1) {
    const id = await containers.make('created', { create: { Cmd: ['/sleep'] } });
    const started = containers.docker
      .getContainer(id)
      .start()
      .then(
        () => true,
        () => false,
      );
    const answer = await engine.remove(id, signal);
    expect(answer.kind).toBe((await started) ? 'still_there' : 'gone');
  }
});
