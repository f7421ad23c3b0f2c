import { describe, expect, it } from 'vitest';
import type { DeadLetterFilter } from '../../../../src/jobs/dead-letters.js';
import { fakeCli, fakeReader } from '../fake-cli.js';
import { aHold, aJudgement, AS_OF, bulkOf, fakeDeadLetters, fakeHolds, fakeRetention } from '../fake-handles.js';

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
  it('is held, listed and released unchanged', async () => {
    const { backend, stored } = fakeHolds([], [id]);
    const held = fakeCli(backend);
    expect(await held.run('hold', '--reason', 'r', '--by', 'kim', '--json', '--', id)).toBe(0);
    expect(held.json()).toMatchObject({ hold: { gameId: id }, replaced: null, hasRecord: true });
    const listed = fakeCli(backend);
    await listed.run('holds');
    expect(listed.written.stdout).toContain(`\n${id}  `);
    const letGo = fakeCli(backend);
    expect(await letGo.run('unhold', '--json', '--', id)).toBe(0);
    expect(letGo.json()).toMatchObject({ removed: { gameId: id } });
    expect(stored.size).toBe(0);
  });

  it('is shown unchanged in the plan', async () => {
    const plan = async () => ({ asOf: AS_OF, items: [aJudgement({ gameId: id, hold: aHold() })], next: null });
    const table = fakeCli(fakeRetention({ plan }).backend);
    const json = fakeCli(fakeRetention({ plan }).backend);
    await table.run('sweep', '--dry-run');
    await json.run('sweep', '--dry-run', '--json');
    expect(table.written.stdout).toContain(`\n${id}  `);
    expect(json.json()).toMatchObject({ plan: [{ gameId: id }] });
  });

  it('selects only its own dead letters, and can be a job id', async () => {
    const filters: DeadLetterFilter[] = [];
    const jobs: string[] = [];
    const { backend } = fakeDeadLetters({
      replayAll: async (filter, options) => {
        filters.push(filter);
        return bulkOf(1)(filter, options);
      },
      purge: async (jobId) => {
        jobs.push(jobId);
        return { status: 'purged' };
      },
    });
    expect(await fakeCli(backend).run('dead-letters', 'replay', `--game=${id}`)).toBe(0);
    expect(await fakeCli(backend).run('dead-letters', 'purge', '--', id)).toBe(0);
    expect(filters.map(({ gameId }) => gameId)).toEqual([id]);
    expect(jobs).toEqual([id]);
  });

  it('is passed unchanged to the operation log', async () => {
    const asked: unknown[] = [];
    const { backend } = fakeReader({
      listOperations: async ({ gameId }) => {
        asked.push(gameId);
        return { items: [], next: null };
      },
    });
    expect(await fakeCli(backend).run('log', '--', id)).toBe(0);
    expect(asked).toEqual([id]);
  });
});

it.each([
  ['', 'gameId is empty'],
  ['   ', 'gameId is empty'],
  ['x'.repeat(257), 'has 257 characters; at most 256 are allowed'],
  ['a\u001B[2J', 'contains a control character'],
  ['a\0', 'contains a control character'],
  ['\uD800', 'is not well-formed Unicode'],
])('%j is refused by every command that takes a game id, and no store is opened', async (id, says) => {
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
