/** A small history without a violation; tests change a part of it. */
import type { Audited } from '../../../faults/laboratory/audit.js';
import type { SeenJob } from '../../../faults/laboratory/jobs.js';
import type { Seen } from '../../../faults/laboratory/step-control.js';
import type { History } from '../../../faults/experiments/histories/history.js';

export const GAME = 'h1-0';
export const CONTAINER = 'a'.repeat(64);
export const STRANGER = 'b'.repeat(64);
export const WORKER = 41;
export const OTHER_WORKER = 42;

const START_MS = Date.UTC(2026, 0, 1);
export const at = (ms: number): Date => new Date(START_MS + ms);
const ns = (ms: number): number => ms * 1e6;

export const note = (ms: number, fields: Partial<Audited>): Audited => ({
  at: at(ms),
  txid: String(ms),
  kind: 'record',
  gameId: GAME,
  was: 'stopped',
  became: 'stopped',
  containerId: CONTAINER,
  jobId: null,
  fence: '0',
  ...fields,
});

export const step = (ms: number, name: string, at: 'start' | 'end', more: Partial<Seen> = {}): Seen => ({
  ns: ns(ms),
  pid: WORKER,
  step: name,
  at,
  facts: name.startsWith('container') ? { 'container.id': CONTAINER } : { 'rtmanager.game_id': GAME },
  ...more,
});

export const job = (more: Partial<SeenJob> = {}): SeenJob => ({
  id: '1',
  state: 'completed',
  gameId: GAME,
  opSource: 'admin_rest',
  failedReason: '',
  result: { outcome: 'success', errorCode: '' },
  ...more,
});

export const dead = (failedReason: string): SeenJob => job({ state: 'failed', failedReason, result: undefined });

export const NOTES: readonly Audited[] = [
  note(0, { was: null }),
  note(30, { fence: '1' }),
  note(60, { became: 'removed', fence: '1' }),
  note(60, { kind: 'operation', was: 'success', became: '', jobId: '1', fence: null }),
];

export const STEPS: readonly Seen[] = [
  step(10, 'lease acquire', 'start'),
  step(20, 'lease acquire', 'end', { said: true }),
  step(25, 'take runtime_records', 'start'),
  step(30, 'take runtime_records', 'end', { said: 'stopped', fence: '1' }),
  step(40, 'container remove', 'start'),
  step(50, 'container remove', 'end', { said: 'gone' }),
  step(55, 'mark_removed runtime_records', 'start'),
  step(65, 'mark_removed runtime_records', 'end', { said: 'marked', fence: '1' }),
];

export const WELL: History = {
  schedule: {
    seed: 1,
    store: 'redis',
    games: ['due'],
    steps: [{ atMs: 5, act: { kind: 'ask', game: 0, how: 'plain', source: 'admin_rest' } }],
    endsMs: 100,
    aged: [],
  },
  startedAt: at(0),
  startedNs: 0,
  games: [{ gameId: GAME, situation: 'due', containerId: CONTAINER }],
  played: [{ fromMs: 5, toMs: 6, what: 'ask', answer: 'job 1' }],
  accepted: [
    {
      jobId: '1',
      gameId: GAME,
      source: 'admin_rest',
      isJoined: false,
      isNonsense: false,
      expectedContainerId: undefined,
    },
  ],
  purged: [],
  settled: true,
  settlingMs: 10,
  jobsSettled: [job()],
  jobsAtLast: [job()],
  beforeSweep: [{ gameId: GAME, status: 'removed', containerId: null, container: 'none', isDue: false, isHeld: false }],
  afterSweep: [{ gameId: GAME, status: 'removed', containerId: null, container: 'none', isDue: false, isHeld: false }],
  strangers: [{ containerId: STRANGER, what: 'a stranger', was: 'created', is: 'created' }],
  tenures: [],
  frozen: [],
  steps: STEPS,
  notes: NOTES,
  events: [
    { at: at(0), action: 'create', containerId: CONTAINER, gameId: GAME },
    { at: at(45), action: 'destroy', containerId: CONTAINER, gameId: GAME },
  ],
  requests: [
    { method: 'GET', url: `/containers/${CONTAINER}/json`, nth: 1, fault: null, engineStatus: 200 },
    { method: 'DELETE', url: `/containers/${CONTAINER}?v=true`, nth: 1, fault: null, engineStatus: 204 },
  ],
  asked: [],
};
