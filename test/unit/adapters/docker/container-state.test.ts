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
    ['a word of tomorrow', { Status: 'hibernating' }, 'unknown', 'hibernating'],
    ['no word', {}, 'unknown', 'no status'],
    ['a word that is no text', { Status: 7 }, 'unknown', 'no status'],
    ['an empty word', { Status: '' }, 'unknown', 'no status'],
    ['exited with an error that is no text', { Status: 'exited', Error: 7 }, 'idle', 'exited'],
    ['a word and a flag that contradict', { Status: 'exited', Running: true }, 'running', 'exited'],
    ['a word that only sounds idle', { Status: 'exited', Restarting: true }, 'restarting', 'exited'],
    ['running without its flag', { Status: 'running' }, 'running', 'running'],
    ['paused without its flag', { Status: 'paused' }, 'paused', 'paused'],
    ['restarting without its flag', { Status: 'restarting' }, 'restarting', 'restarting'],
  ])('%s', (_situation, state, activity, detail) => {
    expect(readContainerState(ID, inState(state))).toEqual({ kind: 'present', gameLabel: 'game-1', activity, detail });
  });
});

describe('the label of a container', () => {
  test.each<[string, unknown, string | null]>([
    ['is read as it is', { 'com.galaxy.game_id': ' Spiel № 1 ' }, ' Spiel № 1 '],
    ['may be empty, which is not the same as missing', { 'com.galaxy.game_id': '' }, ''],
    ['is missing among others', { 'com.galaxy.owner': 'lobby' }, null],
    ['is missing in an empty map', {}, null],
    ['is missing where there is no map', null, null],
    ['is missing where the engine leaves the map out', undefined, null],
  ])('%s', (_situation, labels, gameLabel) => {
    expect(readContainerState(ID, body({ Config: { Labels: labels } }))).toMatchObject({ kind: 'present', gameLabel });
  });
});

describe('another id than the one asked for', () => {
  test('is gone when the other is named like the id', () => {
    expect(readContainerState(ID, body({ Id: OTHER_ID, Name: `/${ID}` }))).toEqual({ kind: 'gone' });
  });

  test('is gone when the other is named like the id, without the slash', () => {
    expect(readContainerState(ID, body({ Id: OTHER_ID, Name: ID }))).toEqual({ kind: 'gone' });
  });

  test.each([
    ['has another name', { Id: OTHER_ID }],
    ['has no name', { Id: OTHER_ID, Name: undefined }],
    ['is upper case', { Id: ID.toUpperCase() }],
    ['is a prefix', { Id: ID.slice(0, 12) }],
    ['is empty', { Id: '' }],
  ])('is no answer when the other %s', (_situation, fields) => {
    expect(readContainerState(ID, body(fields)).kind).toBe('malformed');
  });
});

describe('what is not as the engine writes it', () => {
  const labelled = (labels: unknown): object => body({ Config: { Labels: labels } });

  test.each([
    ['nothing', undefined, 'it has no Id'],
    ['null', null, 'it has no Id'],
    ['text', 'not JSON', 'it has no Id'],
    ['bytes', Buffer.from('<html>'), 'it has no Id'],
    ['no bytes', Buffer.alloc(0), 'it has no Id'],
    ['a list', [body()], 'it has no Id'],
    ['an empty object', {}, 'it has no Id'],
    ['an Id that is no text', body({ Id: 7 }), 'it has no Id'],
    ['no Id, although it is named like ours', body({ Id: undefined, Name: `/${ID}` }), 'it has no Id'],
    ['another Id', body({ Id: OTHER_ID }), 'it describes another container'],
    ['no Config', body({ Config: undefined }), 'it has no Config'],
    ['Config null', body({ Config: null }), 'it has no Config'],
    ['labels in a list', labelled(['com.galaxy.game_id=game-1']), 'its labels are no map'],
    ['labels in a text', labelled('com.galaxy.game_id=game-1'), 'its labels are no map'],
    ['a label that is no text', labelled({ 'com.galaxy.game_id': 7 }), 'its com.galaxy.game_id label is no text'],
    ['no State', body({ State: undefined }), 'it has no State'],
    ['State as text', body({ State: 'exited' }), 'it has no State'],
  ])('is malformed, never idle and never gone, and says why: %s', (_situation, answer, why) => {
    expect(readContainerState(ID, answer)).toEqual({ kind: 'malformed', why });
  });
});

test.each([
  ['always', 'restarting'],
  ['unless-stopped', 'restarting'],
  ['on-failure', 'restarting'],
  ['no', 'idle'],
  ['', 'idle'],
])('stopped, as Podman says, with the restart policy %j is %s', (Name, activity) => {
  const body = {
    Id: ID,
    Config: { Labels: null },
    HostConfig: { RestartPolicy: { Name } },
    State: { Status: 'stopped' },
  };
  expect(readContainerState(ID, body)).toMatchObject({ kind: 'present', activity });
});

test.each(['created', 'exited', 'dead', 'configured'])('%s is idle whatever the restart policy says', (Status) => {
  const answer = body({ HostConfig: { RestartPolicy: { Name: 'always' } }, State: { ...IDLE_FLAGS, Status } });
  expect(readContainerState(ID, answer)).toMatchObject({ kind: 'present', activity: 'idle' });
});

describe('the containers with the label of a game', () => {
  const listed = (fields: object = {}): object => ({
    Id: ID,
    State: 'exited',
    Labels: { 'com.galaxy.game_id': 'game-1' },
    ...fields,
  });

  test.each(['running', 'paused', 'restarting', 'Running', 'stopping'])('are active when %s', (status) => {
    expect(readLabelled('game-1', [listed({ State: status })])).toEqual([{ containerId: ID, status, isActive: true }]);
  });

  test.each(['created', 'exited', 'dead', 'configured'])('are not active when %s', (status) => {
    expect(readLabelled('game-1', [listed({ State: status })])).toEqual([{ containerId: ID, status, isActive: false }]);
  });

  test.each<[string, unknown]>([
    ['another game', { 'com.galaxy.game_id': 'game-2' }],
    ['no game', {}],
    ['nothing', null],
  ])('are left out when their label names %s, although the engine listed them', (_what, labels) => {
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
  ])('cannot be read from %s', (_what, answer) => {
    expect(readLabelled('game-1', answer)).toBeUndefined();
  });
});
