/** The games of the demonstration: what each is like, who asks for its cleanup, and what must be true afterwards. */
import type { Scenario } from './scenario.js';
import {
  absorbed,
  asks,
  commandLine,
  container,
  data,
  dueRecord,
  givenUp,
  http,
  job,
  notAskedFor,
  record,
  refused,
  refusedThenRemoved,
  refusedUnknown,
  REMOVED,
  REMOVED_ONCE,
  scenario,
  sweeping,
} from './scenario-builders.js';

const lobby = asks('lobby_stream');
const gameMaster = asks('gm_rest');
const administrator = asks('admin_rest');
const autoTtl = asks('auto_ttl');

const UNUSUAL_IDS = ['🎲 Würfel', 'a/b?force=1#c', `'; DROP TABLE games; --`, 'x'.repeat(256)];
const ANOTHER_CONTAINER = 'f'.repeat(64);
const noContainer = { ...REMOVED, engine: 'no container' } as const;
const created = container({ state: 'created' });
const unknown = { container: null, record: null };

const removals: readonly Scenario[] = [
  scenario('stopped', [lobby], { games: 5 }),
  scenario('stopped, asked by command line', [commandLine], { games: 3 }),
  scenario('created, never started', [gameMaster], { games: 3, container: created }),
  scenario('stopped, with an anonymous volume', [gameMaster], { games: 2, container: container({ volume: true }) }),
  scenario('stopped, asked through HTTP', [http]),
  scenario('stopped by hand, restarts always', [commandLine], { container: container({ restarts: true }) }),
  scenario('stopped, container without any label', [administrator], { container: container({ label: 'none' }) }),
  scenario('unusual game ids', [gameMaster], { games: UNUSUAL_IDS, container: created }),
  scenario('container gone already', [lobby], { games: 2, container: container({ state: 'removed' }) }),
  scenario('record names no container', [commandLine], {
    container: null,
    record: record({ container: 'none' }),
    expected: noContainer,
  }),
  scenario("old id is another container's name", [gameMaster], {
    container: container({ state: 'removed', impostor: true }),
    expected: { ...REMOVED, engine: 'created' },
  }),
  scenario('expected container is the right one', [
    job(({ gameId, containerId }) => ({ gameId, opSource: 'gm_rest', expectedContainerId: containerId })),
  ]),
];

const repetitions: readonly Scenario[] = [
  scenario('removed before', [gameMaster], {
    container: null,
    record: record({ status: 'removed', container: 'none' }),
    expected: {
      ...noContainer,
      record: 'unchanged',
      operations: ['replay_no_op'],
      jobs: ['completed replay_no_op'],
    },
  }),
  scenario('asked twice, command line: one job', [commandLine, commandLine], { games: 2 }),
  scenario('asked twice, plain BullMQ: two jobs', [lobby, gameMaster], { expected: REMOVED_ONCE }),
  scenario('asked both ways at once', [gameMaster, commandLine], { expected: REMOVED_ONCE }),
];

const mishaps: readonly Scenario[] = [
  scenario('lease held elsewhere, given back', [gameMaster], {
    event: 'lease given back',
    expected: { ...REMOVED, operations: ['conflict', 'success'], moreConflicts: true },
  }),
  scenario('lease held elsewhere throughout', [commandLine], {
    event: 'lease held throughout',
    expected: givenUp('exited'),
  }),
  scenario('worker killed in the middle of it', [gameMaster], {
    event: 'worker killed',
    expected: { ...REMOVED, moreConflicts: true },
  }),
];

const conflicts: readonly Scenario[] = [
  scenario('running', [gameMaster], {
    games: 2,
    container: container({ state: 'running' }),
    record: record({ status: 'running' }),
    expected: givenUp('running'),
  }),
  scenario('record stopped, container running', [gameMaster], {
    container: container({ state: 'running' }),
    expected: givenUp('running'),
  }),
  scenario('record stopped, container paused', [commandLine], {
    container: container({ state: 'paused' }),
    expected: givenUp('paused'),
  }),
  scenario('record stopped, container restarting', [gameMaster], {
    container: container({ state: 'restarting' }),
    expected: givenUp('restarting'),
  }),
  scenario('started again since the request', [gameMaster], {
    container: container({ restarts: true }),
    event: 'started again',
    expected: givenUp('running'),
  }),
];

const refusals: readonly Scenario[] = [
  scenario('label names another game', [gameMaster], {
    container: container({ label: 'another game' }),
    expected: refused('exited', 'container_mismatch'),
  }),
  scenario('record has a short container id', [commandLine], {
    container: created,
    record: record({ container: 'short id' }),
    expected: refused('created', 'container_mismatch'),
  }),
  scenario('expected container is another one', [job(data('gm_rest', { expectedContainerId: ANOTHER_CONTAINER }))], {
    container: created,
    expected: refused('created', 'container_mismatch'),
  }),
  scenario('unknown game', [gameMaster], { ...unknown, expected: refusedUnknown('not_found') }),
  scenario('bad request: empty game id', [gameMaster], {
    ...unknown,
    games: [''],
    expected: refusedUnknown('invalid_request'),
  }),
  scenario('bad request: not an object', [job(({ gameId }) => gameId)], {
    ...unknown,
    expected: refusedUnknown('invalid_request'),
  }),
  scenario('bad request: unknown source', [job(data('cron'))], {
    container: created,
    expected: refused('created', 'invalid_request'),
  }),
  scenario('bad request: misspelt precondition', [job(data('gm_rest', { expectedContainrId: ANOTHER_CONTAINER }))], {
    container: created,
    expected: refused('created', 'invalid_request'),
  }),
  scenario('bad request: wrong job name', [job(data('gm_rest'), 'cleanup-container')], {
    container: created,
    expected: refused('created', 'invalid_request'),
  }),
];

/** Dead letters whose cause is mended: the record names its container in full again. */
const replays: readonly Scenario[] = [
  scenario('short id, mended, replayed by CLI', [commandLine], {
    record: record({ container: 'short id' }),
    event: 'mended, replayed by command line',
    expected: refusedThenRemoved('container_mismatch'),
  }),
  scenario('short id, mended, replayed by HTTP', [gameMaster], {
    record: record({ container: 'short id' }),
    event: 'mended, replayed through HTTP',
    expected: refusedThenRemoved('container_mismatch'),
  }),
];

/** A sweep's question that came too early, or too late: the job looks again. */
const retention: readonly Scenario[] = [
  scenario('retention asks: not due', [autoTtl], {
    container: created,
    expected: absorbed(refused('created', 'conflict'), 'conflict'),
  }),
  scenario('retention asks: due, but held', [autoTtl], {
    container: created,
    record: dueRecord({ held: 'elsewhere' }),
    expected: absorbed(refused('created', 'conflict'), 'conflict'),
  }),
  scenario('retention asks: unknown game', [autoTtl], {
    ...unknown,
    expected: absorbed(refusedUnknown('not_found'), 'not_found'),
  }),
  scenario('held, but an administrator asks', [administrator], {
    container: created,
    record: record({ held: 'elsewhere' }),
  }),
];

const sweeps: readonly Scenario[] = [
  scenario('sweep: due', [sweeping], { games: 4, record: dueRecord() }),
  scenario('sweep: not due yet', [sweeping], { container: created, expected: notAskedFor('created') }),
  scenario('sweep: due, held by command line', [sweeping], {
    container: created,
    record: dueRecord({ held: 'by command line' }),
    expected: notAskedFor('created'),
  }),
  scenario('sweep: due, started again before it', [sweeping], {
    container: container({ restarts: true }),
    record: dueRecord(),
    event: 'started again',
    expected: notAskedFor('running'),
  }),
  scenario('sweep: due, but is a dead letter', [gameMaster, sweeping], {
    container: container({ label: 'another game' }),
    record: dueRecord(),
    expected: refused('exited', 'container_mismatch'),
  }),
];

export const SCENARIOS: readonly Scenario[] = [
  ...removals,
  ...repetitions,
  ...mishaps,
  ...conflicts,
  ...refusals,
  ...replays,
  ...retention,
  ...sweeps,
];
