import { describe, expect, test } from 'vitest';
import type { ContainerActivity } from '../../../../src/cleanup/ports.js';
import { readSighting } from '../../../../src/adapters/docker/sighting.js';

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
    ['a word and a flag that contradict', { Status: 'exited', Running: true }, 'running', 'exited'],
    ['a word that only sounds idle', { Status: 'exited', Restarting: true }, 'restarting', 'exited'],
    ['running without its flag', { Status: 'running' }, 'running', 'running'],
    ['paused without its flag', { Status: 'paused' }, 'paused', 'paused'],
    ['restarting without its flag', { Status: 'restarting' }, 'restarting', 'restarting'],
  ])('%s', (_situation, state, activity, detail) => {
    expect(readSighting(ID, inState(state))).toEqual({ kind: 'present', gameLabel: 'game-1', activity, detail });
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
    expect(readSighting(ID, body({ Config: { Labels: labels } }))).toMatchObject({ kind: 'present', gameLabel });
  });
});

describe('another id than the one asked for', () => {
  test('is gone when the other is named like the id', () => {
    expect(readSighting(ID, body({ Id: OTHER_ID, Name: `/${ID}` }))).toEqual({ kind: 'gone' });
  });

  test('is gone when the other is named like the id, without the slash', () => {
    expect(readSighting(ID, body({ Id: OTHER_ID, Name: ID }))).toEqual({ kind: 'gone' });
  });

  test.each([
    ['has another name', { Id: OTHER_ID }],
    ['has no name', { Id: OTHER_ID, Name: undefined }],
    ['is upper case', { Id: ID.toUpperCase() }],
    ['is a prefix', { Id: ID.slice(0, 12) }],
    ['is empty', { Id: '' }],
  ])('is no answer when the other %s', (_situation, fields) => {
    expect(readSighting(ID, body(fields)).kind).toBe('malformed');
  });
});

describe('what is not as the engine writes it', () => {
  test.each([
    ['nothing', undefined],
    ['null', null],
    ['text', 'not JSON'],
    ['bytes', Buffer.from('<html>')],
    ['no bytes', Buffer.alloc(0)],
    ['a list', [body()]],
    ['an empty object', {}],
    ['an Id that is no text', body({ Id: 7 })],
    ['no Config', body({ Config: undefined })],
    ['Config null', body({ Config: null })],
    ['labels in a list', body({ Config: { Labels: ['com.galaxy.game_id=game-1'] } })],
    ['labels in a text', body({ Config: { Labels: 'com.galaxy.game_id=game-1' } })],
    ['a label that is no text', body({ Config: { Labels: { 'com.galaxy.game_id': 7 } } })],
    ['no State', body({ State: undefined })],
    ['State as text', body({ State: 'exited' })],
  ])('is malformed, never idle and never gone: %s', (_situation, answer) => {
    expect(readSighting(ID, answer).kind).toBe('malformed');
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
  expect(readSighting(ID, body)).toMatchObject({ kind: 'present', activity });
});
