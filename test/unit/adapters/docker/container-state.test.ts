import { describe, expect, test } from 'vitest';
import type { ContainerActivity } from '../../../../src/cleanup/ports.js';
import { readContainerState, readLabelled } from '../../../../src/adapters/docker/container-state.js';

const ID = 'a'.repeat(64);
const OTHER_ID = 'b'.repeat(64);

const IDLE_FLAGS = { Running: false, Paused: false, Restarting: false, Dead: false, Error: '' };
const body = (fields: object = {}): object => ({
  Id: ID,
  Name: '/quiet_game',
  Config: { Labels: { 'com.galaxy.game_id': 'game-1' } },
  State: { ...IDLE_FLAGS, Status: 'exited' },
  ...fields,
});
const inState = (state: object): object => body({ State: { ...IDLE_FLAGS, ...state } });

describe('the state of a container', () => {
  test.each<[string, object, ContainerActivity, string]>([
    ['created', { Status: 'created' }, 'idle', 'created'],
    ['exited', { Status: 'exited' }, 'idle', 'exited'],
    ['exited because it could not start', { Status: 'exited', Error: 'no such file' }, 'idle', 'exited: no such file'],
    ['dead, left by a crash', { Status: 'dead', Dead: true }, 'idle', 'dead'],
    [
      'dead, its removal failed',
      { Status: 'dead', Dead: true, Error: 'unlinkat: operation not permitted' },
      'idle',
      'dead: unlinkat: operation not permitted',
    ],
    ['configured, as Podman says', { Status: 'configured' }, 'idle', 'configured'],
    ['stopped, as Podman says', { Status: 'stopped' }, 'idle', 'stopped'],
    ['running', { Status: 'running', Running: true }, 'running', 'running'],
    ['stopping, as Podman says', { Status: 'stopping' }, 'running', 'stopping'],
    ['paused, which Docker also calls running', { Status: 'paused', Running: true, Paused: true }, 'paused', 'paused'],
    [
      'restarting, which Docker also calls running',
      { Status: 'restarting', Running: true, Restarting: true },
      'restarting',
      'restarting',
    ],
    ['removing', { Status: 'removing', Dead: true }, 'removing', 'removing'],
    ['an unknown word', { Status: 'hibernating' }, 'unknown', 'hibernating'],
    ['no status', {}, 'unknown', 'no status'],
    ['a status that is not text', { Status: 7 }, 'unknown', 'no status'],
    ['an empty status', { Status: '' }, 'unknown', 'no status'],
    ['exited with an error that is not text', { Status: 'exited', Error: 7 }, 'idle', 'exited'],
    ['exited with a flag that contradicts it', { Status: 'exited', Running: true }, 'running', 'exited'],
    ['exited with the flag of a restart', { Status: 'exited', Restarting: true }, 'restarting', 'exited'],
    ['running without its flag', { Status: 'running' }, 'running', 'running'],
    ['paused without its flag', { Status: 'paused' }, 'paused', 'paused'],
    ['restarting without its flag', { Status: 'restarting' }, 'restarting', 'restarting'],
  ])('the state of a container is read from its status: %s', (_situation, state, activity, detail) => {
    expect(readContainerState(ID, inState(state))).toEqual({ kind: 'present', gameLabel: 'game-1', activity, detail });
  });
});

describe('the game label of a container', () => {
  test.each<[string, unknown, string | null]>([
    ['is read unchanged', { 'com.galaxy.game_id': ' Spiel № 1 ' }, ' Spiel № 1 '],
    ['may be empty, which is not the same as missing', { 'com.galaxy.game_id': '' }, ''],
    ['is missing among other labels', { 'com.galaxy.owner': 'lobby' }, null],
    ['is missing in an empty map', {}, null],
    ['is missing where there is no map', null, null],
    ['is missing where the engine leaves the map out', undefined, null],
  ])('the game label %s', (_situation, labels, gameLabel) => {
    expect(readContainerState(ID, body({ Config: { Labels: labels } }))).toMatchObject({ kind: 'present', gameLabel });
  });
});

describe('an answer with another id', () => {
  test('a container whose name is the requested id means gone', () => {
    expect(readContainerState(ID, body({ Id: OTHER_ID, Name: `/${ID}` }))).toEqual({ kind: 'gone' });
  });

  test('a container whose name is the requested id without a slash means gone', () => {
    expect(readContainerState(ID, body({ Id: OTHER_ID, Name: ID }))).toEqual({ kind: 'gone' });
  });

  test.each([
    ['has another name', { Id: OTHER_ID }],
    ['has no name', { Id: OTHER_ID, Name: undefined }],
    ['has an id in upper case', { Id: ID.toUpperCase() }],
    ['has a part of the id', { Id: ID.slice(0, 12) }],
    ['has an empty id', { Id: '' }],
  ])('an answer whose container %s is malformed', (_situation, fields) => {
    expect(readContainerState(ID, body(fields)).kind).toBe('malformed');
  });
});

describe('an answer in an unknown form', () => {
  const labelled = (labels: unknown): object => body({ Config: { Labels: labels } });

  test.each([
    ['nothing', undefined, 'it has no Id'],
    ['null', null, 'it has no Id'],
    ['text', 'not JSON', 'it has no Id'],
    ['bytes', Buffer.from('<html>'), 'it has no Id'],
    ['no bytes', Buffer.alloc(0), 'it has no Id'],
    ['a list', [body()], 'it has no Id'],
    ['an empty object', {}, 'it has no Id'],
    ['an Id that is not text', body({ Id: 7 }), 'it has no Id'],
    ['no Id, but the requested id as its name', body({ Id: undefined, Name: `/${ID}` }), 'it has no Id'],
    ['another Id', body({ Id: OTHER_ID }), 'it describes another container'],
    ['no Config', body({ Config: undefined }), 'it has no Config'],
    ['Config null', body({ Config: null }), 'it has no Config'],
    ['labels in a list', labelled(['com.galaxy.game_id=game-1']), 'its labels are no map'],
    ['labels in a text', labelled('com.galaxy.game_id=game-1'), 'its labels are no map'],
    ['a label that is not text', labelled({ 'com.galaxy.game_id': 7 }), 'its com.galaxy.game_id label is no text'],
    ['no State', body({ State: undefined }), 'it has no State'],
    ['State as text', body({ State: 'exited' }), 'it has no State'],
  ])(
    'an answer with %s is malformed, never idle or gone, and the error gives the reason',
    (_situation, answer, why) => {
      expect(readContainerState(ID, answer)).toEqual({ kind: 'malformed', why });
    },
  );
});

test.each([
  ['always', 'restarting'],
  ['unless-stopped', 'restarting'],
  ['on-failure', 'restarting'],
  ['no', 'idle'],
  ['', 'idle'],
])('a container stopped in Podman, with the restart policy %j, is %s', (Name, activity) => {
  const body = {
    Id: ID,
    Config: { Labels: null },
    HostConfig: { RestartPolicy: { Name } },
    State: { Status: 'stopped' },
  };
  expect(readContainerState(ID, body)).toMatchObject({ kind: 'present', activity });
});

test.each(['created', 'exited', 'dead', 'configured'])(
  'a container that is %s is idle with every restart policy',
  (Status) => {
    const answer = body({ HostConfig: { RestartPolicy: { Name: 'always' } }, State: { ...IDLE_FLAGS, Status } });
    expect(readContainerState(ID, answer)).toMatchObject({ kind: 'present', activity: 'idle' });
  },
);

describe('the containers with the label of a game', () => {
  const listed = (fields: object = {}): object => ({
    Id: ID,
    State: 'exited',
    Labels: { 'com.galaxy.game_id': 'game-1' },
    ...fields,
  });

  test.each(['running', 'paused', 'restarting', 'Running', 'stopping'])(
    'a labelled container that is %s is active',
    (status) => {
      expect(readLabelled('game-1', [listed({ State: status })])).toEqual([
        { containerId: ID, status, isActive: true },
      ]);
    },
  );

  test.each(['created', 'exited', 'dead', 'configured'])('a labelled container that is %s is not active', (status) => {
    expect(readLabelled('game-1', [listed({ State: status })])).toEqual([{ containerId: ID, status, isActive: false }]);
  });

  test.each<[string, unknown]>([
    ['another game', { 'com.galaxy.game_id': 'game-2' }],
    ['no game', {}],
    ['nothing', null],
  ])('a listed container whose label names %s is left out', (_what, labels) => {
    expect(readLabelled('game-1', [listed({ Labels: labels }), listed({ Id: OTHER_ID })])).toEqual([
      { containerId: OTHER_ID, status: 'exited', isActive: false },
    ]);
  });

  test.each<[string, unknown]>([
    ['no list', { Id: ID }],
    ['a web page', '<html>'],
    ['an entry without an id', [listed({ Id: undefined })]],
    ['an entry with a short id', [listed({ Id: 'abc' })]],
    ['an entry without a state', [listed({ State: undefined })]],
    ['an entry that is no object', [null]],
  ])('a list of containers cannot be read from %s', (_what, answer) => {
    expect(readLabelled('game-1', answer)).toBeUndefined();
  });
});
