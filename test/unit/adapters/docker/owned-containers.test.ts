import { expect, it } from 'vitest';
import { readOwned } from '../../../../src/adapters/docker/owned-containers.js';
import { CONTAINER_ID } from '../../../support/records.js';

const entry = (Labels: unknown, over: object = {}) => ({ Id: CONTAINER_ID, State: 'exited', Labels, ...over });
const OURS = { 'com.galaxy.owner': 'rtmanager' };

it('a container with the label of this service is listed with its game and state', () => {
  const labels = { ...OURS, 'com.galaxy.game_id': 'game-1' };
  const found = { containerId: CONTAINER_ID, gameLabel: 'game-1', status: 'exited' };
  expect(readOwned(null, [entry(labels)])).toEqual([found]);
  expect(readOwned('game-1', [entry(labels)])).toEqual([found]);
});

it('a container without the label of a game is listed unless one game is asked for', () => {
  expect(readOwned(null, [entry(OURS)])).toMatchObject([{ gameLabel: null }]);
  expect(readOwned('game-1', [entry(OURS)])).toEqual([]);
});

it('a container of another owner is not listed, although the engine listed it', () => {
  expect(readOwned(null, [entry({ 'com.galaxy.owner': 'x' }), entry({}), entry(null)])).toEqual([]);
});

it.each([
  ['no list', {}],
  ['a short id', [entry(OURS, { Id: 'a1' })]],
  ['no state', [entry(OURS, { State: undefined })]],
])('an answer with %s is not as an engine writes it', (_what, body) => {
  expect(readOwned(null, body)).toBeUndefined();
});
