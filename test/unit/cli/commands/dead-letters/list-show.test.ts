import { describe, expect, it, vi } from 'vitest';
import { EMPTY_HISTORY } from '../../../../../src/jobs/delivery.js';
import { fakeCli } from '../../fake-cli.js';
import { addDeadLetter, fakeDeadLetters } from '../../fake-handles.js';

describe('dead-letters', () => {
  it('dead-letters without a command lists its commands and reports that one is missing', async () => {
    const cli = fakeCli({});
    expect(await cli.run('dead-letters')).toBe(2);
    expect(cli.written.stderr).toMatch(/ {2}list .*\n {2}show <job-id> .*\n {2}replay \[job-id\.\.\.\] .*\n {2}purge/);
    expect(cli.written.stderr).toContain('runtime-cleanup: no command is given');
    expect(cli.loads()).toBe(0);
  });
});

describe('dead-letters list', () => {
  it('list prints a table in the order that was read, with shortened messages', async () => {
    const { backend, closed, state } = fakeDeadLetters();
    const run = { reason: 'not_found: no record', at: '2026-01-01T08:00:00.000Z', crashes: 0, attempts: [] };
    addDeadLetter(state, `not_found: ${'x'.repeat(300)}`, {
      jobId: '7',
      finishedAt: new Date('2026-01-02T10:00:00Z'),
      history: { ...EMPTY_HISTORY, pastLives: [run, run] },
    });
    addDeadLetter(state, undefined, { jobId: '12' });
    const cli = fakeCli(backend);
    expect(await cli.run('dead-letters', 'list')).toBe(0);
    expect(cli.written.stdout.replace(/x{120}…/, 'x…')).toBe(
      [
        'JOB  GAME    SOURCE      FAILED                REPLAYS  CODE       MESSAGE',
        '12   game-1  admin_rest  2026-01-02 10:00:00Z  0        conflict   the runtime is running; stop it first',
        '7    game-1  admin_rest  2026-01-02 10:00:00Z  2        not_found  x…',
        '',
      ].join('\n'),
    );
    expect(closed.times).toBe(1);
  });

  it('list passes on code, trimmed game id, age by the clock of the process, and limit', async () => {
    const { backend, deadLetters } = fakeDeadLetters();
    const list = vi.spyOn(deadLetters, 'list');
    const cli = fakeCli(backend);
    const now = cli.clock.now().getTime();
    await cli.run('dead-letters', 'list', '--code', 'conflict', '--game', ' g ', '--older-than', '7d', '--limit', '9');
    await cli.run('dead-letters', 'list');
    expect(list.mock.calls.flat()).toEqual([
      { code: 'conflict', gameId: 'g', failedBefore: new Date(now - 7 * 86_400_000), after: undefined, limit: 9 },
      { after: undefined, limit: 50 },
    ]);
    expect(cli.written.stderr).toBe('There are no such dead letters.\nThere are no dead letters.\n');
  });

  it('list reads all pages with --all, and otherwise counts the dead letters of each code', async () => {
    const { backend, deadLetters, state } = fakeDeadLetters();
    for (let n = 0; n < 2; n += 1) addDeadLetter(state, 'not_found: no record');
    for (let n = 0; n < 40; n += 1) addDeadLetter(state, undefined, { finishedAt: new Date('2026-01-01T10:00:00Z') });
    const { list } = deadLetters;
    vi.spyOn(deadLetters, 'list').mockImplementation((query) => list({ ...query, limit: Math.min(query.limit, 30) }));
    const all = fakeCli(backend);
    await all.run('dead-letters', 'list', '--all', '--json');
    const listed = all.json() as {
      readonly deadLetters: readonly { jobId: string; failedAt: string }[];
      next: unknown;
    };
    expect(new Set(listed.deadLetters.map(({ jobId }) => jobId)).size).toBe(42);
    expect(listed).toMatchObject({ deadLetters: { 0: { failedAt: '2026-01-02T10:00:00.250Z' } }, next: null });
    const some = fakeCli(backend);
    await some.run('dead-letters', 'list', '--limit', '1');
    expect(some.written.stderr).toContain('In all: 42 dead letters (2 not_found, 40 conflict).\n');
  });

  it('list makes control characters visible', async () => {
    const { backend, state } = fakeDeadLetters();
    addDeadLetter(state, 'conflict: a\nb', { jobId: 'j\u0007', data: { gameId: 'g\u001B[2J', opSource: '\u202Ex' } });
    const cli = fakeCli(backend);
    await cli.run('dead-letters', 'list');
    expect(['\u001B', '\u0007', '\u202E'].filter((character) => cli.written.stdout.includes(character))).toEqual([]);
    expect(cli.written.stdout.trimEnd().split('\n')).toHaveLength(2);
  });
});

describe('dead-letters show', () => {
  const attempt = {
    attempt: 3,
    code: 'conflict',
    message: 'running',
    at: '2026-01-02T09:59:00.000Z',
    traceId: 'f'.repeat(32),
  } as const;
  const stored = () => {
    const opened = fakeDeadLetters();
    const run = { reason: 'not_found: no record', at: '2026-01-01T08:00:00.000Z', crashes: 0, attempts: [] };
    addDeadLetter(opened.state, undefined, {
      jobId: '12',
      history: { ...EMPTY_HISTORY, attempts: [attempt], pastLives: [run] },
    });
    addDeadLetter(opened.state, undefined, { jobId: '13' });
    return opened;
  };

  it('show prints the data, each attempt with its trace, and the earlier runs', async () => {
    const { backend, closed } = stored();
    const cli = fakeCli(backend);
    expect(await cli.run('dead-letters', 'show', '12')).toBe(0);
    expect(cli.written.stdout).toBe(
      [
        'job       12 (cleanup_container)',
        'game      game-1',
        'asked by  admin_rest, ticket 7',
        'asked     2026-01-02 09:00:00Z',
        'failed    2026-01-02 10:00:00Z',
        'code      conflict',
        'message   the runtime is running; stop it first',
        'replays   1',
        'data      {"gameId":"game-1","opSource":"admin_rest","sourceRef":"ticket 7"}',
        '',
        'Attempts since the last replay',
        '  ATTEMPT  FAILED                CODE      TRACE                             MESSAGE',
        '  3        2026-01-02 09:59:00Z  conflict  ffffffffffffffffffffffffffffffff  running',
        '',
        'Attempts of an earlier run, which failed at 2026-01-01 08:00:00Z: not_found: no record',
        '  none are known',
        '',
        '',
      ].join('\n'),
    );
    expect(cli.written.stderr).toContain('`runtime-cleanup dead-letters replay 12`');
    expect(closed.times).toBe(1);
  });

  it('show prints the stored dead letter unchanged with --json', async () => {
    const { backend, deadLetters } = stored();
    const cli = fakeCli(backend);
    await cli.run('dead-letters', 'show', '12', '--json');
    expect(cli.json()).toEqual(JSON.parse(JSON.stringify(await deadLetters.find('12'))));
  });

  it.each([[[]], [['--json']]])('show ends with 1 for a job that is not a dead letter %j', async (options) => {
    const { backend, state } = fakeDeadLetters();
    addDeadLetter(state, undefined, { jobId: '13' });
    const cli = fakeCli(backend);
    expect(await cli.run('dead-letters', 'show', '12', ...options)).toBe(1);
    expect(cli.written.stdout).toBe('');
    expect(cli.written.stderr).toContain('there is no dead letter with the job id');
  });

  it('show replaces data that is nested too deep to be written', async () => {
    let payload: unknown = 'bottom';
    for (let depth = 0; depth < 100_000; depth += 1) payload = [payload];
    const { backend, state } = fakeDeadLetters();
    addDeadLetter(state, undefined, { jobId: '1', data: payload });
    const [text, json] = [fakeCli(backend), fakeCli(backend)];
    expect([
      await text.run('dead-letters', 'show', '1'),
      await json.run('dead-letters', 'show', '1', '--json'),
    ]).toEqual([0, 0]);
    expect(text.written.stdout).toContain('nested too deep');
    expect(json.json()).toMatchObject({ payload: '(nested too deep to be shown)' });
  });

  it('show quotes a hostile job id for the shell', async () => {
    const { backend, state } = fakeDeadLetters();
    addDeadLetter(state, undefined, { jobId: `-x'; rm` });
    const cli = fakeCli(backend);
    await cli.run('dead-letters', 'show', '--', `-x'; rm`);
    expect(cli.written.stderr).toContain(String.raw`dead-letters replay -- '-x'\''; rm'`);
  });
});
