import { describe, expect, it } from 'vitest';
import { decideByContainer, decideByLabel, decideByRecord } from '../../../src/cleanup/decide.js';
import type { LabelledContainer, PresentContainer, TakenRecord } from '../../../src/cleanup/ports.js';
import type { CleanupRequest } from '../../../src/cleanup/validate.js';
import { aRecord, CONTAINER_ID, OTHER_CONTAINER_ID } from '../../support/records.js';

const RETENTION_MS = 10_000;
const request: CleanupRequest = { gameId: 'game-1', opSource: 'admin_rest', expectedContainerId: null };
const sweep: CleanupRequest = { ...request, opSource: 'auto_ttl' };
const taken = (over: Partial<TakenRecord['record']> = {}, facts: Partial<TakenRecord> = {}): TakenRecord => ({
  record: aRecord(over),
  stoppedForMs: RETENTION_MS,
  held: false,
  ...facts,
});
const look = { action: 'look', containerId: CONTAINER_ID };
const refused = (code: string, words: RegExp) => ({ action: 'refuse', code, message: expect.stringMatching(words) });

describe('decideByRecord', () => {
  const rows: readonly [situation: string, CleanupRequest, TakenRecord, expected: object][] = [
    ['of a stopped game looks at the container', request, taken(), look],
    [
      'of a removed game is a replay',
      request,
      taken({ status: 'removed', currentContainerId: null }),
      { action: 'replay' },
    ],
    [
      'of a removed game is a replay for every expected container',
      { ...request, expectedContainerId: OTHER_CONTAINER_ID },
      taken({ status: 'removed', currentContainerId: null }),
      { action: 'replay' },
    ],
    [
      'of a removed game that still names a container looks at it before the replay',
      request,
      taken({ status: 'removed' }),
      { action: 'look_before_replay', containerId: CONTAINER_ID },
    ],
    [
      'of a removed game whose container id is not a full one is a replay',
      request,
      taken({ status: 'removed', currentContainerId: 'abc123' }),
      { action: 'replay' },
    ],
    [
      'of a removed game whose container id is empty is a replay',
      request,
      taken({ status: 'removed', currentContainerId: '' }),
      { action: 'replay' },
    ],
    [
      'of a running game is refused and asks to stop it first',
      request,
      taken({ status: 'running' }),
      refused('conflict', /stop the runtime first/),
    ],
    ['of an unknown status is refused', request, taken({ status: 'frozen' }), refused('internal_error', /"frozen"/)],
    [
      'of a stopped game without a container looks for containers with its label',
      request,
      taken({ currentContainerId: null }),
      { action: 'look_by_label' },
    ],
    [
      'of a record with an empty id is one without a container, and no mismatch',
      request,
      taken({ currentContainerId: '' }),
      { action: 'look_by_label' },
    ],
    [
      'that expects a container where the id is empty is refused',
      { ...request, expectedContainerId: CONTAINER_ID },
      taken({ currentContainerId: '' }),
      refused('container_mismatch', /names none/),
    ],
    [
      'of a sweep that is not due is declined also where the record names no container',
      sweep,
      taken({ currentContainerId: null }, { stoppedForMs: RETENTION_MS - 1 }),
      refused('conflict', /not due/),
    ],
    [
      'of a record with a short id is refused',
      request,
      taken({ currentContainerId: 'abc123' }),
      refused('container_mismatch', /"abc123"/),
    ],
    [
      'of a record with a name is refused',
      request,
      taken({ currentContainerId: '/game-1' }),
      refused('container_mismatch', /not a full one/),
    ],
    [
      'of a record with upper-case hex is refused',
      request,
      taken({ currentContainerId: CONTAINER_ID.toUpperCase() }),
      refused('container_mismatch', /not a full one/),
    ],
    [
      'that expects the recorded container looks at it',
      { ...request, expectedContainerId: CONTAINER_ID },
      taken(),
      look,
    ],
    [
      'that expects another container is refused',
      { ...request, expectedContainerId: OTHER_CONTAINER_ID },
      taken(),
      refused('container_mismatch', /expects container/),
    ],
    [
      'that expects a container where there is none is refused',
      { ...request, expectedContainerId: CONTAINER_ID },
      taken({ currentContainerId: null }),
      refused('container_mismatch', /names none/),
    ],
    ['of a sweep looks at the container when the retention is just over', sweep, taken(), look],
    [
      'of a sweep is refused a millisecond before',
      sweep,
      taken({}, { stoppedForMs: RETENTION_MS - 1 }),
      refused('conflict', /not due/),
    ],
    ['of a sweep is refused under a hold', sweep, taken({}, { held: true }), refused('conflict', /hold/)],
    ['by a person looks at the container before it is due', request, taken({}, { stoppedForMs: 0 }), look],
    ['by a person looks at the container under a hold', request, taken({}, { held: true }), look],
    ['of a running game by a sweep is refused', sweep, taken({ status: 'running' }), refused('conflict', /running/)],
  ];

  it.each(rows)('a cleanup %s', (_situation, asked, facts, expected) => {
    expect(decideByRecord(asked, facts, RETENTION_MS)).toEqual(expected);
  });
});

describe('decideByContainer', () => {
  const present = (
    activity: 'idle' | 'running' | 'paused' | 'restarting' | 'removing' | 'unknown',
    gameLabel: string | null = 'game-1',
  ): PresentContainer => ({ kind: 'present', activity, gameLabel, detail: 'frobbing' });

  const rows: readonly [situation: string, PresentContainer, expected: object][] = [
    ['that is idle is removed', present('idle'), { action: 'remove' }],
    ['that is idle and carries no label is removed', present('idle', null), { action: 'remove' }],
    ['that runs is a conflict', present('running'), refused('conflict', /running/)],
    ['that is paused is a conflict', present('paused'), refused('conflict', /paused/)],
    ['that is restarting is a conflict', present('restarting'), refused('conflict', /restarting/)],
    ['that is being removed is waited for', present('removing'), refused('service_unavailable', /already removing/)],
    ['in an unknown state is not removed', present('unknown'), refused('internal_error', /frobbing/)],
    ['of another game is not removed', present('idle', 'game-2'), refused('container_mismatch', /"game-2"/)],
    [
      'of another game is a mismatch even while it runs',
      present('running', 'game-2'),
      refused('container_mismatch', /"game-2"/),
    ],
    ['with an empty label belongs to another game', present('idle', ''), refused('container_mismatch', /""/)],
  ];

  it.each(rows)('a container %s', (_situation, state, expected) => {
    expect(decideByContainer('game-1', state)).toEqual(expected);
  });
});

describe('by its label, a game whose record names no container', () => {
  const labelled = (digit: string, status = 'exited'): LabelledContainer => ({
    containerId: digit.repeat(64),
    status,
    isActive: status === 'running',
  });
  const rows: readonly [situation: string, readonly LabelledContainer[], expected: object][] = [
    ['has only its record to change when no container carries it', [], { action: 'mark_removed', remark: '' }],
    [
      'has a container named in its row that is left alone',
      [labelled('1')],
      {
        action: 'mark_removed',
        remark: `the record named no container; left alone, because a label proves no identity: ${'1'.repeat(64)} (exited)`,
      },
    ],
    [
      'has five containers named at most, and the others counted',
      ['1', '2', '3', '4', '5', '6', '7'].map((digit) => labelled(digit)),
      { action: 'mark_removed', remark: expect.stringMatching(/: 1{64} \(exited\), .*, 5{64} \(exited\) and 2 more$/) },
    ],
    [
      'is a conflict when one of its containers runs, wherever it stands in the list',
      [labelled('1'), labelled('2', 'running')],
      refused('conflict', /container 2{64} with the label of this game is running; stop the runtime first$/),
    ],
  ];

  it.each(rows)('%s', (_situation, found, expected) => {
    expect(decideByLabel(found)).toEqual(expected);
  });
});
