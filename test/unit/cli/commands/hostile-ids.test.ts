import { describe, expect, it } from 'vitest';
import { logOperation } from '../../../support/fakes/state.js';
import { aHold, anEntry, aRecord } from '../../../support/records.js';
import { fakeCli } from '../fake-cli.js';
import { addDeadLetter, fakeDeadLetters, fakeHolds, fakeReader, fakeRetention } from '../fake-handles.js';

const IDS = [
  '123',
  '-1',
  '--all',
  'a:b',
  'a/b',
  '..',
  '🎮🏴‍☠️',
  'x'.repeat(256),
  "'; DROP TABLE runtime_records; --",
  '<script>alert(1)</script>',
  '$(reboot)',
  '%s %d',
  '__proto__',
  'null',
];

describe.each(IDS)('the game id %j', (id) => {
  it('hold, holds and unhold keep a hostile game id unchanged', async () => {
    const { backend, state } = fakeHolds();
    state.records.set(id, aRecord({ gameId: id }));
    const held = fakeCli(backend);
    expect(await held.run('hold', '--reason', 'r', '--by', 'kim', '--json', '--', id)).toBe(0);
    expect(held.json()).toMatchObject({ hold: { gameId: id }, replaced: null, hasRecord: true });
    const listed = fakeCli(backend);
    await listed.run('holds');
    expect(listed.written.stdout).toContain(`\n${id}  `);
    const released = fakeCli(backend);
    expect(await released.run('unhold', '--json', '--', id)).toBe(0);
    expect(released.json()).toMatchObject({ removed: { gameId: id } });
    expect(state.holds.size).toBe(0);
  });

  it('the plan shows a hostile game id unchanged', async () => {
    const { backend, state } = fakeRetention();
    state.records.set(id, aRecord({ gameId: id }));
    state.holds.set(id, aHold({ gameId: id }));
    const [table, json] = [fakeCli(backend), fakeCli(backend)];
    await table.run('sweep', '--dry-run');
    await json.run('sweep', '--dry-run', '--json');
    expect(table.written.stdout).toContain(`\n${id}  `);
    expect(json.json()).toMatchObject({ plan: [{ gameId: id, hold: { gameId: id } }] });
  });

  it('a hostile game id selects only its own dead letters, and can be a job id', async () => {
    const { backend, state } = fakeDeadLetters();
    const own = addDeadLetter(state, undefined, { jobId: 'own', data: { gameId: id } });
    const other = addDeadLetter(state, undefined, { jobId: 'other', data: { gameId: `${id}.` } });
    addDeadLetter(state, undefined, { jobId: id, data: { gameId: 'game-1' } });
    expect(await fakeCli(backend).run('dead-letters', 'replay', `--game=${id}`)).toBe(0);
    expect(await fakeCli(backend).run('dead-letters', 'purge', '--', id)).toBe(0);
    expect([...state.jobs.values()].map(({ jobId, state: now }) => [jobId, now])).toEqual([
      [own.jobId, 'waiting'],
      [other.jobId, 'failed'],
    ]);
  });

  it('a hostile game id is passed unchanged to the operation log', async () => {
    const { backend, state } = fakeReader();
    for (const gameId of [`${id}.`, id]) logOperation(state, anEntry({ gameId }));
    const cli = fakeCli(backend);
    expect(await cli.run('log', '--json', '--', id)).toBe(0);
    expect(cli.json()).toMatchObject({ operations: [{ gameId: id }], next: null });
  });
});

it.each([
  ['', 'gameId is empty'],
  ['   ', 'gameId is empty'],
  ['x'.repeat(257), 'has 257 characters; at most 256 are allowed'],
  ['a\u001B[2J', 'contains a control character'],
  ['a\0', 'contains a control character'],
  ['\uD800', 'is not well-formed Unicode'],
])('the game id %j is refused by every command, and no store is opened', async (id, says) => {
  for (const args of [
    ['hold', '--reason', 'r', '--', id],
    ['unhold', '--', id],
    ['log', '--', id],
    ['dead-letters', 'list', `--game=${id}`],
    ['dead-letters', 'purge', '--yes', `--game=${id}`],
  ]) {
    const cli = fakeCli({});
    expect(await cli.run(...args)).toBe(2);
    expect(cli.written.stdout).toBe('');
    expect(cli.written.stderr).toContain(says);
    expect(cli.written.stderr).not.toContain('\u001B');
  }
});
