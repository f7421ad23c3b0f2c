/** The games of the demo: their containers and records, who requests the cleanup, and the expected result. */
import type { Scenario } from './scenario.js';
import {
  refusalCompleted,
  requestBy,
  commandLine,
  container,
  data,
  dueRecord,
  retriesExhausted,
  http,
  job,
  notRequested,
  record,
  refused,
  refusedThenRemoved,
  refusedUnknown,
  REMOVED,
  REMOVED_ONCE,
  scenario,
  sweeping,
} from './scenario-builders.js';

const lobby = requestBy('lobby_stream');
const gameMaster = requestBy('gm_rest');
const administrator = requestBy('admin_rest');
const autoTtl = requestBy('auto_ttl');

const UNUSUAL_IDS = ['🎲 Würfel', 'a/b?force=1#c', `'; DROP TABLE games; --`, 'x'.repeat(256)];
const ANOTHER_CONTAINER = 'f'.repeat(64);
const noContainer = { ...REMOVED, engine: 'no container' } as const;
const created = container({ state: 'created' });
const unknown = { container: null, record: null };

const removals: readonly Scenario[] = [
  scenario('stopped', [lobby], { games: 5 }),
  scenario('stopped, requested by command line', [commandLine], { games: 3 }),
  scenario('created, never started', [gameMaster], { games: 3, container: created }),
  scenario('stopped, with an anonymous volume', [gameMaster], { games: 2, container: container({ volume: true }) }),
  scenario('stopped, requested through HTTP', [http]),
  scenario('stopped by hand, restarts always', [commandLine], { container: container({ restarts: true }) }),
  scenario('stopped, container without a label', [administrator], { container: container({ label: 'none' }) }),
  scenario('unusual game ids', [gameMaster], { games: UNUSUAL_IDS, container: created }),
  scenario('container already removed', [lobby], { games: 2, container: container({ state: 'removed' }) }),
  scenario('record names no container', [commandLine], {
    container: null,
    record: record({ container: 'none' }),
    expected: noContainer,
  }),
  scenario("old id is another container's name", [gameMaster], {
    container: container({ state: 'removed', idReusedAsName: true }),
    expected: { ...REMOVED, engine: 'created' },
  }),
  scenario('expected container is the right one', [
    job(({ gameId, containerId }) => ({ gameId, opSource: 'gm_rest', expectedContainerId: containerId })),
  ]),
];

const repetitions: readonly Scenario[] = [
  scenario('removed earlier', [gameMaster], {
    container: null,
    record: record({ status: 'removed', container: 'none' }),
    expected: {
      ...noContainer,
      record: 'unchanged',
      operations: ['replay_no_op'],
      jobs: ['completed replay_no_op'],
    },
  }),
  scenario('two requests, command line: one job', [commandLine, commandLine], { games: 2 }),
  scenario('two requests, plain BullMQ: two jobs', [lobby, gameMaster], { expected: REMOVED_ONCE }),
  scenario('two requests, one of each kind', [gameMaster, commandLine], { expected: REMOVED_ONCE }),
];

const disturbances: readonly Scenario[] = [
  scenario('lease held elsewhere, then released', [gameMaster], {
    event: 'lease released',
    expected: { ...REMOVED, operations: ['conflict', 'success'], moreConflicts: true },
  }),
  scenario('lease held elsewhere throughout', [commandLine], {
    event: 'lease held throughout',
    expected: retriesExhausted('exited'),
  }),
  scenario('worker killed during the job', [gameMaster], {
    event: 'worker killed',
    expected: { ...REMOVED, moreConflicts: true },
  }),
];

const conflicts: readonly Scenario[] = [
  scenario('running', [gameMaster], {
    games: 2,
    container: container({ state: 'running' }),
    record: record({ status: 'running' }),
    expected: retriesExhausted('running'),
  }),
  scenario('record stopped, container running', [gameMaster], {
    container: container({ state: 'running' }),
    expected: retriesExhausted('running'),
  }),
  scenario('record stopped, container paused', [commandLine], {
    container: container({ state: 'paused' }),
    expected: retriesExhausted('paused'),
  }),
  scenario('record stopped, container restarting', [gameMaster], {
    container: container({ state: 'restarting' }),
    expected: retriesExhausted('restarting'),
  }),
  scenario('started again since the request', [gameMaster], {
    container: container({ restarts: true }),
    event: 'started again',
    expected: retriesExhausted('running'),
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

/** Dead letters whose cause is repaired: the record gets the container's full id. */
const replays: readonly Scenario[] = [
  scenario('short id, repaired, replayed by CLI', [commandLine], {
    record: record({ container: 'short id' }),
    event: 'repaired, replayed by command line',
    expected: refusedThenRemoved('container_mismatch'),
  }),
  scenario('short id, repaired, replayed by HTTP', [gameMaster], {
    record: record({ container: 'short id' }),
    event: 'repaired, replayed through HTTP',
    expected: refusedThenRemoved('container_mismatch'),
  }),
];

/** Requests of a sweep that came too early or too late: the job checks the facts again. */
const retention: readonly Scenario[] = [
  scenario('retention request: not due', [autoTtl], {
    container: created,
    expected: refusalCompleted(refused('created', 'conflict'), 'conflict'),
  }),
  scenario('retention request: due, but held', [autoTtl], {
    container: created,
    record: dueRecord({ held: 'by another service' }),
    expected: refusalCompleted(refused('created', 'conflict'), 'conflict'),
  }),
  scenario('retention request: unknown game', [autoTtl], {
    ...unknown,
    expected: refusalCompleted(refusedUnknown('not_found'), 'not_found'),
  }),
  scenario('held, administrator requests it', [administrator], {
    container: created,
    record: record({ held: 'by another service' }),
  }),
];

const sweeps: readonly Scenario[] = [
  scenario('sweep: due', [sweeping], { games: 4, record: dueRecord() }),
  scenario('sweep: not due yet', [sweeping], { container: created, expected: notRequested('created') }),
  scenario('sweep: due, held by command line', [sweeping], {
    container: created,
    record: dueRecord({ held: 'by command line' }),
    expected: notRequested('created'),
  }),
  scenario('sweep: due, but started again', [sweeping], {
    container: container({ restarts: true }),
    record: dueRecord(),
    event: 'started again',
    expected: notRequested('running'),
  }),
  scenario('sweep: due, but is a dead letter', [gameMaster, sweeping], {
    container: container({ label: 'another game' }),
    record: dueRecord(),
    expected: refused('exited', 'container_mismatch'),
  }),
];

/** Requested while another, empty engine answers at the address. */
const replacements: readonly Scenario[] = [scenario('engine replaced, and back', [http], { event: 'engine replaced' })];

export const SCENARIOS: readonly Scenario[] = [
  ...removals,
  ...repetitions,
  ...disturbances,
  ...conflicts,
  ...refusals,
  ...replays,
  ...retention,
  ...sweeps,
  ...replacements,
];
