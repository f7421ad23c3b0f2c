import { describe, expect, test } from 'vitest';
import { UnavailableError } from '../../../../src/domain/errors.js';
import { neverAborted } from '../../../support/calls.js';
import { answers, createEngineWorld, fails, ID, thrownBy } from './engine-world.js';

describe('the list of labelled containers', () => {
  const listed = { Id: ID, State: 'exited', Labels: { 'com.galaxy.game_id': 'game-1' } };

  test('the list asks for containers in any state, by the label', async () => {
    const { engine, requests } = createEngineWorld({ list: answers([listed]) });
    expect(await engine.labelled('game-1', neverAborted)).toEqual([
      { containerId: ID, status: 'exited', isActive: false },
    ]);
    expect(requests).toEqual([['list', '', { all: true, filters: { label: ['com.galaxy.game_id=game-1'] } }]]);
  });

  test('a list that is not the engine’s answer is an outage', async () => {
    const error = await thrownBy(
      createEngineWorld({ list: answers('<html>') }).engine.labelled('game-1', neverAborted),
    );
    expect(error).toBeInstanceOf(UnavailableError);
    expect(error).toMatchObject({ message: expect.stringContaining('cannot list the containers with the label') });
  });

  test('a list without an answer is an outage', async () => {
    const { engine } = createEngineWorld({ list: fails({ code: 'ENOENT' }, 'connect ENOENT') });
    expect(await thrownBy(engine.labelled('game-1', neverAborted))).toMatchObject({
      message: 'cannot list the containers with the label of this game: connect ENOENT',
    });
  });
});
