import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { ContainerEngine } from '../../../src/cleanup/ports.js';
import { openForAllTests } from '../hooks.js';
import type { TestContainerState } from '../../support/engine/test-containers.js';

export interface ContainerEngineUnderTest {
  readonly engine: ContainerEngine;
  /** Puts a container into the engine and returns its id. */
  readonly make: (state: TestContainerState, gameLabel: string | null) => Promise<string>;
  readonly close: () => Promise<void>;
}

const WORKERS = 20;

const signal = new AbortController().signal;
const newId = (): string => randomBytes(32).toString('hex');

const NO_FULL_IDS: Readonly<Record<string, string>> = {
  'an empty id': '',
  'a short id': 'abcdef012345',
  'a name': 'game-1',
  'a name as the engine lists it': '/game-1',
  'an id in upper case': newId().toUpperCase(),
  'an id with a query': `${newId()}?force=1&x=`,
  'an id with a path': `../containers/${newId()}`,
  'an id with a newline at its end': `${newId()}\n`,
  'the word undefined': 'undefined',
};

/** What every container engine promises; `open` gives one to work with. */
export function containerEngineContract(name: string, open: () => Promise<ContainerEngineUnderTest>): void {
  describe(`the container engine ${name}`, () => {
    let subject: ContainerEngineUnderTest;
    let engine: ContainerEngine;
    openForAllTests(open, (opened) => {
      subject = opened;
      ({ engine } = subject);
    });

    test('an unknown id is gone, and its removal succeeds', async () => {
      const id = newId();
      expect(await engine.look(id, signal)).toEqual({ kind: 'gone' });
      expect(await engine.remove(id, signal)).toEqual({ kind: 'gone', ours: false });
    });

    test.each(['created', 'exited'] as const)(
      'a container that is %s is idle, and is gone after its removal',
      async (state) => {
        const id = await subject.make(state, 'game-1');
        expect(await engine.look(id, signal)).toMatchObject({ kind: 'present', activity: 'idle', gameLabel: 'game-1' });
        expect(await engine.remove(id, signal)).toEqual({ kind: 'gone', ours: true });
        expect(await engine.look(id, signal)).toEqual({ kind: 'gone' });
        expect(await engine.remove(id, signal)).toEqual({ kind: 'gone', ours: false });
      },
    );

    test.each(['running', 'paused', 'restarting'] as const)(
      'a container that is %s is reported in this state and is not removed',
      async (state) => {
        const id = await subject.make(state, 'game-1');
        expect(await engine.look(id, signal)).toMatchObject({ kind: 'present', activity: state });
        expect(await engine.remove(id, signal)).toMatchObject({
          kind: 'still_there',
          state: { kind: 'present', activity: state, gameLabel: 'game-1' },
          detail: expect.stringMatching(/./) as string,
        });
        expect(await engine.look(id, signal)).toMatchObject({ kind: 'present', activity: state });
      },
    );

    test.each([['game-2'], ['Spiel № 1 🎲'], [''], [null]])(
      'the game label %j is returned unchanged',
      async (gameLabel) => {
        const id = await subject.make('created', gameLabel);
        expect(await engine.look(id, signal)).toMatchObject({ kind: 'present', gameLabel });
      },
    );

    test('the containers with the label of a game are listed in any state, and no others', async () => {
      const gameId = `Spiel № ${newId()} 🎲`;
      const idle = await subject.make('exited', gameId);
      const active = await subject.make('running', gameId);
      await subject.make('created', `${gameId}=`);
      await subject.make('created', null);
      const found = await engine.labelled(gameId, signal);
      expect(found.toSorted((a, b) => a.status.localeCompare(b.status))).toEqual([
        { containerId: idle, status: 'exited', isActive: false },
        { containerId: active, status: 'running', isActive: true },
      ]);
      expect(await engine.labelled(newId(), signal)).toEqual([]);
    });

    test.each(Object.entries(NO_FULL_IDS))('%s is refused as a bug', async (_what, id) => {
      await expect(engine.look(id, signal)).rejects.toThrow(TypeError);
      await expect(engine.remove(id, signal)).rejects.toThrow(TypeError);
    });

    test('a call with an aborted signal rejects with its reason and removes nothing', async () => {
      const id = await subject.make('created', 'game-1');
      const reason = new Error('lease lost');
      await expect(engine.look(id, AbortSignal.abort(reason))).rejects.toBe(reason);
      await expect(engine.remove(id, AbortSignal.abort(reason))).rejects.toBe(reason);
      await expect(engine.labelled('game-1', AbortSignal.abort(reason))).rejects.toBe(reason);
      expect(await engine.look(id, signal)).toMatchObject({ kind: 'present', activity: 'idle' });
    });

    test(`${WORKERS} workers that remove one container at once all find it gone in the end`, async () => {
      const id = await subject.make('exited', 'game-1');
      const work = async (): Promise<void> => {
        for (;;) {
          const answer = await engine.remove(id, signal);
          if (answer.kind === 'gone') return;
          // The second request finds the removal of the first in progress, or has just missed it.
          expect(answer.state).toMatchObject({
            kind: 'present',
            activity: expect.stringMatching(/removing|idle/) as string,
          });
        }
      };
      await Promise.all(Array.from({ length: WORKERS }, work));
      expect(await engine.look(id, signal)).toEqual({ kind: 'gone' });
    });
  });
}
