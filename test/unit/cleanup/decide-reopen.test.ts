import { describe, expect, it } from 'vitest';
import { type CleanupRow, decideByLook, decideByRow } from '../../../src/cleanup/decide-reopen.js';
import type { ContainerState, PresentContainer } from '../../../src/cleanup/ports.js';
import { CONTAINER_ID } from '../../support/records.js';

const row = (over: Partial<CleanupRow> = {}): CleanupRow => ({
  containerId: CONTAINER_ID,
  removal: 'already_gone',
  engine: 'blue',
  startedSince: false,
  ...over,
});

describe('decided by the record and its row', () => {
  it('a removed record whose container was already gone is looked at on the engine of the row', () => {
    const look = { action: 'look', containerId: CONTAINER_ID };
    expect(decideByRow({ status: 'removed' }, row())).toEqual({ ...look, engine: 'blue' });
    expect(decideByRow({ status: 'removed' }, row({ engine: '' }))).toEqual({ ...look, engine: 'default' });
  });

  const refused: readonly [situation: string, status: string, found: CleanupRow | null, says: string][] = [
    ['a stopped record', 'stopped', row(), 'the record is "stopped"'],
    ['a running record', 'running', row(), 'the record is "running"'],
    ['no row', 'removed', null, 'has no cleanup of this game that succeeded'],
    ['a container that was removed', 'removed', row({ removal: 'removed' }), 'says removed'],
    ['a record that named no container', 'removed', row({ removal: 'none' }), 'says none'],
    ['a row from before the column', 'removed', row({ removal: '' }), 'does not say what happened'],
    ['a game that was started since', 'removed', row({ startedSince: true }), 'started after its newest cleanup'],
    ['an id that is not full', 'removed', row({ containerId: 'a1b2' }), '"a1b2", which is not a full id'],
    ['an empty id', 'removed', row({ containerId: '' }), 'not a full id'],
  ];

  it.each(refused)('%s is a conflict', (_situation, status, found, says) => {
    expect(decideByRow({ status }, found)).toMatchObject({
      action: 'refuse',
      code: 'conflict',
      message: expect.stringContaining(says),
    });
  });
});

describe('decided by a look at the container', () => {
  const present = (over: Partial<PresentContainer> = {}): ContainerState => ({
    kind: 'present',
    gameLabel: 'game-1',
    activity: 'idle',
    detail: 'exited',
    ...over,
  });

  const looks: readonly [situation: string, found: ContainerState, ends: string][] = [
    ['idle, with the label of the game', present(), 'reopen'],
    ['gone', { kind: 'gone' }, 'not_found'],
    ['without a label', present({ gameLabel: null }), 'container_mismatch'],
    ['with the label of another game', present({ gameLabel: 'game-2' }), 'container_mismatch'],
    ['running', present({ activity: 'running' }), 'conflict'],
    ['paused', present({ activity: 'paused' }), 'conflict'],
    ['restarting', present({ activity: 'restarting' }), 'conflict'],
    ['being removed', present({ activity: 'removing' }), 'service_unavailable'],
    ['in an unknown state', present({ activity: 'unknown' }), 'internal_error'],
  ];

  it.each(looks)('a container that is %s ends as %s', (_situation, found, ends) => {
    const decision = decideByLook('game-1', 'blue', found);
    expect(decision.action === 'refuse' ? decision.code : decision.action).toBe(ends);
  });
});
