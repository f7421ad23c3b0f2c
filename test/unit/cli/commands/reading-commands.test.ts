import { describe, expect, it, vi } from 'vitest';
import type { Check } from '../../../../src/cli/command-context.js';
import type { LoggedOperation } from '../../../../src/domain/record-queries.js';
import type { RuntimeRecord } from '../../../../src/domain/runtime-record.js';
import { aRecord, CONTAINER_ID } from '../../../support/records.js';
import { fakeCli } from '../fake-cli.js';
import { fakeReader } from '../fake-handles.js';

const operation: LoggedOperation = {
  id: '9007199254740993',
  gameId: 'game-1',
  opKind: 'cleanup_container',
  opSource: 'operator_cli',
  sourceRef: 'ticket 7',
  imageRef: 'image:1',
  containerId: CONTAINER_ID,
  outcome: 'failure',
  errorCode: 'conflict',
  errorMessage: 'the runtime is running; stop it first',
  jobId: '12',
  attempt: 3,
  removal: '',
  engine: 'default',
  actor: '',
  startedAt: new Date('2026-01-02T10:00:00.250Z'),
  finishedAt: new Date('2026-01-02T10:00:01.500Z'),
};

/** A reader of these records. */
function readerOf(...records: readonly RuntimeRecord[]) {
  const reader = fakeReader();
  for (const record of records) reader.state.records.set(record.gameId, record);
  return reader;
}

describe('records', () => {
  it('records prints a table without colours into a pipe, and closes the reader', async () => {
    const { backend, closed } = readerOf(aRecord());
    const cli = fakeCli(backend);
    expect(await cli.run('records')).toBe(0);
    expect(cli.written.stdout).toBe(
      'GAME    STATUS   CONTAINER     IMAGE                    STOPPED               LAST OPERATION\n' +
        'game-1  stopped  a1a1a1a1a1a1  registry.example/game:7  2026-01-02 10:00:00Z  2026-01-02 10:00:00Z\n',
    );
    expect(cli.written.stderr).toBe('');
    expect(closed.times).toBe(1);
  });

  it('records prints bold titles on a terminal, unless NO_COLOR is set', async () => {
    const { backend } = readerOf(aRecord());
    const coloured = fakeCli(backend, { isTTY: true });
    const plain = fakeCli(backend, { isTTY: true, environment: { NO_COLOR: '1' } });
    const dumb = fakeCli(backend, { isTTY: true, environment: { TERM: 'dumb' } });
    for (const cli of [coloured, plain, dumb]) await cli.run('records');
    expect([coloured, plain, dumb].map((cli) => cli.written.stdout.includes('\u001B['))).toEqual([true, false, false]);
  });

  it('records prints whole records and the cursor of the next page with --json', async () => {
    const { backend } = readerOf(aRecord(), aRecord({ gameId: 'game-2' }));
    const cli = fakeCli(backend);
    await cli.run('records', '--limit', '1', '--json');
    expect(cli.json()).toMatchObject({
      records: [
        { gameId: 'game-1', currentContainerId: CONTAINER_ID, stoppedAt: '2026-01-02T10:00:00.000Z', leaseEpoch: '7' },
      ],
      next: 'game-1',
    });
  });

  it('records passes on status and limit, and states that there are more records', async () => {
    const stopped = Array.from({ length: 8 }, (_, n) => aRecord({ gameId: `game-${n + 1}` }));
    const { backend, recordQueries } = readerOf(aRecord({ gameId: 'game-0', status: 'running' }), ...stopped);
    const listRecords = vi.spyOn(recordQueries, 'listRecords');
    const cli = fakeCli(backend);
    await cli.run('records', '--status', 'stopped', '--limit', '7');
    expect(listRecords.mock.calls).toEqual([[{ status: 'stopped', after: undefined, limit: 7 }]]);
    const games = cli.written.stdout.split('\n').map((line) => line.split(' ', 1)[0]);
    expect(games.slice(1, -1)).toEqual(stopped.slice(0, 7).map(({ gameId }) => gameId));
    expect(cli.written.stderr).toContain('There are more');
  });

  it('records reads page after page with --all', async () => {
    const { backend, recordQueries } = readerOf(...['a', 'b', 'c'].map((gameId) => aRecord({ gameId })));
    const { listRecords } = recordQueries;
    const pages = vi.spyOn(recordQueries, 'listRecords');
    pages.mockImplementation((filter) => listRecords({ ...filter, limit: 1 }));
    const cli = fakeCli(backend);
    await cli.run('records', '--all', '--json');
    expect(pages.mock.calls.map(([{ after }]) => after)).toEqual([undefined, 'a', 'b']);
    expect(cli.json()).toMatchObject({ records: [{ gameId: 'a' }, { gameId: 'b' }, { gameId: 'c' }], next: null });
  });

  it('records states on standard error that there are no records', async () => {
    const cli = fakeCli(fakeReader().backend);
    expect(await cli.run('records')).toBe(0);
    expect(cli.written).toEqual({ stdout: '', stderr: 'There are no such records.\n' });
  });

  it('records closes the reader when reading fails', async () => {
    const { backend, closed } = fakeReader({ listRecords: () => Promise.reject(new TypeError('bug')) });
    expect(await fakeCli(backend).run('records')).toBe(1);
    expect(closed.times).toBe(1);
  });

  it('records stops between two pages after a signal', async () => {
    let pages = 0;
    const { backend, closed, recordQueries } = readerOf(...['a', 'b', 'c'].map((gameId) => aRecord({ gameId })));
    const { listRecords } = recordQueries;
    vi.spyOn(recordQueries, 'listRecords').mockImplementation((filter) => {
      pages += 1;
      if (pages === 2) cli.raise('SIGINT');
      return listRecords({ ...filter, limit: 1 });
    });
    const cli = fakeCli(backend);
    expect(await cli.run('records', '--all')).toBe(1);
    expect(pages).toBe(2);
    expect(cli.written).toEqual({ stdout: '', stderr: 'runtime-cleanup: stopped by SIGINT\n' });
    expect(closed.times).toBe(1);
  });

  it('records makes control characters from other services visible', async () => {
    const evil = aRecord({ gameId: 'g\u001B]0;x\u0007', currentImageRef: 'a\u202Eb\nc' });
    const { backend } = readerOf(evil);
    const cli = fakeCli(backend);
    await cli.run('records');
    expect(['\u001B', '\u0007', '\u202E'].filter((character) => cli.written.stdout.includes(character))).toEqual([]);
    expect(cli.written.stdout.trimEnd().split('\n')).toHaveLength(2);
  });
});

describe('log', () => {
  it('log prints a table of one game, newest first', async () => {
    const { backend, closed, recordQueries, state } = fakeReader();
    const older = { ...operation, id: '3', errorMessage: 'an older message' };
    state.operations.push(older, { ...operation, id: '4', gameId: 'game-2' }, operation);
    const listOperations = vi.spyOn(recordQueries, 'listOperations');
    const cli = fakeCli(backend);
    expect(await cli.run('log', ' game-1 ', '--limit', '5')).toBe(0);
    expect(listOperations.mock.calls).toEqual([[{ gameId: 'game-1', limit: 5 }]]);
    expect(cli.written.stdout).toContain(
      '2026-01-02 10:00:01Z  operator_cli  ticket 7         failure  conflict           default  1250ms  12   3        the runtime is running; stop it first\n',
    );
    const lines = cli.written.stdout.trimEnd().split('\n');
    expect([lines.length, lines.at(-1)]).toEqual([3, expect.stringContaining('an older message')]);
    expect(closed.times).toBe(1);
  });

  it('log prints the rows unchanged with --json, with exact ids', async () => {
    const { backend, state } = fakeReader();
    state.operations.push({ ...operation, id: '3' }, operation);
    const cli = fakeCli(backend);
    await cli.run('log', 'game-1', '--limit', '1', '--json');
    expect(cli.json()).toMatchObject({
      operations: [{ id: '9007199254740993', errorCode: 'conflict', finishedAt: '2026-01-02T10:00:01.500Z' }],
      next: '9007199254740993',
    });
  });

  it('log states that the game has no rows', async () => {
    const cli = fakeCli(fakeReader().backend);
    expect(await cli.run('log', 'game-1')).toBe(0);
    expect(cli.written).toEqual({ stdout: '', stderr: 'The operation log has no row of this game.\n' });
  });
});

describe('doctor', () => {
  const checks = (...list: readonly Check[]) => ({
    checkDependencies: async function* () {
      yield* list;
    },
  });
  const fine: Check = { name: 'database', status: 'ok', detail: 'PostgreSQL 18.4' };
  const odd: Check = { name: 'leases', status: 'warn', detail: 'no password', advice: 'set one' };
  const broken: Check = { name: 'engine', status: 'failed', detail: 'no such file', advice: 'start the engine' };

  it('doctor shows each check with its advice, and fails when one check failed', async () => {
    const cli = fakeCli(checks(fine, odd, broken));
    expect(await cli.run('doctor')).toBe(1);
    expect(cli.written.stdout).toBe(
      [
        'ok      database: PostgreSQL 18.4',
        'warn    leases: no password',
        '        set one',
        'failed  engine: no such file',
        '        start the engine',
        'Repair what failed, then run doctor again.',
        '',
      ].join('\n'),
    );
  });

  it('doctor ends with 0 when there are only warnings', async () => {
    expect(await fakeCli(checks(fine, odd)).run('doctor')).toBe(0);
  });

  it('doctor prints all checks and one overall result with --json', async () => {
    const cli = fakeCli(checks(fine, broken));
    expect(await cli.run('doctor', '--json')).toBe(1);
    expect(cli.json()).toEqual({ ok: false, checks: [fine, broken] });
  });
});

describe('migrate', () => {
  it('migrate reports each step on standard error', async () => {
    const cli = fakeCli({
      migrate: async (_session, report) => {
        report('applying 0001_first');
        return ['0001_first'];
      },
    });
    expect(await cli.run('migrate')).toBe(0);
    expect(cli.written).toEqual({
      stdout: 'Applied 0001_first. The database is up to date.\n',
      stderr: 'applying 0001_first\n',
    });
  });

  it('migrate states that no migration was pending', async () => {
    const cli = fakeCli({ migrate: async () => [] });
    await cli.run('migrate');
    expect(cli.written.stdout).toBe('The database is up to date.\n');
  });

  it('migrate prints only the names of the migrations with --json', async () => {
    const cli = fakeCli({
      migrate: async (_session, report) => {
        report('applying');
        return ['0001_first'];
      },
    });
    await cli.run('migrate', '--json');
    expect(cli.json()).toEqual({ applied: ['0001_first'] });
    expect(cli.written.stderr).toBe('');
  });
});
