import { userInfo } from 'node:os';
import { describe, expect, it, vi } from 'vitest';
import { aHold, aRecord } from '../../../support/records.js';
import { fakeCli } from '../fake-cli.js';
import { fakeHolds } from '../fake-handles.js';

const WEEK_MS = 7 * 86_400_000;

/** A platform with a record of `game-1`; `puts` has the holds that a command stores. */
function holdsOfGame1(start: Parameters<typeof fakeHolds>[0] = []) {
  const opened = fakeHolds(start);
  opened.state.records.set('game-1', aRecord());
  return { ...opened, puts: vi.spyOn(opened.holds, 'put').mock.calls };
}

describe('hold', () => {
  it('hold holds a game without an end in the name of the user, and prints that', async () => {
    const { backend, puts, closed } = holdsOfGame1();
    const cli = fakeCli(backend);
    expect(await cli.run('hold', ' game-1 ', '--reason', ' evidence ')).toBe(0);
    const { username } = userInfo();
    expect(puts).toEqual([[{ gameId: 'game-1', reason: 'evidence', heldBy: username, end: null }]]);
    expect(cli.written).toEqual({ stdout: `game-1 is held without an end by ${username}: evidence\n`, stderr: '' });
    expect(closed.times).toBe(1);
  });

  it.each([
    ['--for', '7d', { forMs: WEEK_MS }],
    ['--for', '1.5d', { forMs: 129_600_000 }],
    ['--for', '90m', { forMs: 5_400_000 }],
    ['--until', '2030-01-31T18:00Z', { until: new Date('2030-01-31T18:00:00Z') }],
    ['--until', '2030-01-31T18:00:30.5+01:00', { until: new Date('2030-01-31T17:00:30.500Z') }],
  ])('hold accepts %s %s', async (option, text, end) => {
    const { backend, puts } = holdsOfGame1();
    expect(await fakeCli(backend).run('hold', 'game-1', '--reason', 'r', '--by', 'kim', option, text)).toBe(0);
    expect(puts).toEqual([[{ gameId: 'game-1', reason: 'r', heldBy: 'kim', end }]]);
  });

  it('hold shows the hold that it replaces, and prints both with --json', async () => {
    const old = aHold({ reason: 'old', heldUntil: new Date('2026-05-01T00:00:00Z') });
    const text = fakeCli(holdsOfGame1([old]).backend);
    const json = fakeCli(holdsOfGame1([old]).backend);
    await text.run('hold', 'game-1', '--reason', 'new', '--by', 'alex');
    await json.run('hold', 'game-1', '--reason', 'new', '--by', 'alex', '--json');
    expect(text.written.stderr).toBe('This replaces the hold until 2026-05-01 00:00:00Z by kim: old\n');
    expect(json.json()).toEqual({
      hold: { gameId: 'game-1', reason: 'new', heldBy: 'alex', heldUntil: null },
      replaced: { gameId: 'game-1', reason: 'old', heldBy: 'kim', heldUntil: '2026-05-01T00:00:00.000Z' },
      hasRecord: true,
    });
  });

  it('hold holds a game without a record, and states that there is no record', async () => {
    const { backend, state } = fakeHolds();
    const cli = fakeCli(backend);
    expect(await cli.run('hold', 'game-9', '--reason', 'r')).toBe(0);
    expect(state.holds.has('game-9')).toBe(true);
    expect(cli.written.stderr).toContain('There is no runtime record of game-9; check the id');
  });

  const refusals: readonly (readonly [situation: string, args: readonly string[], says: string])[] = [
    ['no reason', [], "required option '--reason <text>'"],
    ['a blank reason', ['--reason', ' '], '--reason is empty; allowed: 1 to 500 characters'],
    ['a long reason', ['--reason', 'x'.repeat(501)], '--reason has 501 characters'],
    ['a reason with NUL', ['--reason', 'a\0b'], String.raw`--reason "a\u0000b" has a control character`],
    ['a reason of two lines', ['--reason', 'a\nb'], 'one line'],
    ['a broken character in the reason', ['--reason', 'a\uD83D'], String.raw`--reason "a\ud83d"`],
    ['a blank name', ['--reason', 'r', '--by', ' '], '--by is empty'],
    ['a long name', ['--reason', 'r', '--by', 'x'.repeat(101)], '--by has 101 characters'],
    ['two ends', ['--reason', 'r', '--for', '1h', '--until', '2030-01-31T18:00Z'], 'cannot be used with'],
    ['a time of 0', ['--reason', 'r', '--for', '0s'], "'0s' is invalid. Allowed: 30s, 5m, 1h, 7d"],
    ['a time without unit', ['--reason', 'r', '--for', '7'], "'7' is invalid"],
    ['a time that is too long', ['--reason', 'r', '--for', '36501d'], 'up to 36500d'],
    ['an end in the past', ['--reason', 'r', '--until', '1969-12-31T23:59Z'], 'is in the past'],
    ['an end without time zone', ['--reason', 'r', '--until', '2030-01-31T18:00'], 'time zone'],
    ['a day that does not exist', ['--reason', 'r', '--until', '2030-02-30T18:00Z'], 'is invalid'],
    ['an hour that does not exist', ['--reason', 'r', '--until', '2030-01-31T25:00Z'], 'is invalid'],
  ];
  it.each(refusals)(
    'hold with %s ends with 2, states what is allowed, and stores no hold',
    async (_situation, args, says) => {
      const { backend, puts } = holdsOfGame1();
      const cli = fakeCli(backend);
      expect(await cli.run('hold', 'game-1', ...args)).toBe(2);
      expect(puts).toEqual([]);
      expect(cli.written.stderr.split('\n').filter((line) => line.startsWith('runtime-cleanup: '))).toEqual([
        expect.stringContaining(says),
      ]);
    },
  );
});

describe('unhold', () => {
  it('unhold removes the hold and shows it', async () => {
    const { backend, state, closed } = fakeHolds([aHold()]);
    const cli = fakeCli(backend);
    expect(await cli.run('unhold', 'game-1')).toBe(0);
    expect(state.holds.size).toBe(0);
    expect(cli.written.stdout).toBe('game-1 is no longer held. It was held without an end by kim: evidence\n');
    expect(closed.times).toBe(1);
  });

  it('unhold ends with 0 for a game that is not held', async () => {
    const text = fakeCli(fakeHolds().backend);
    const json = fakeCli(fakeHolds().backend);
    expect([await text.run('unhold', 'game-1'), await json.run('unhold', 'game-1', '--json')]).toEqual([0, 0]);
    expect(text.written.stdout).toBe('game-1 was not held.\n');
    expect(json.json()).toEqual({ removed: null });
  });
});

describe('holds', () => {
  it('holds prints a table that marks expired holds', async () => {
    const cli = fakeCli(
      fakeHolds([
        aHold({ gameId: 'a' }),
        aHold({ gameId: 'b', heldUntil: new Date('1969-01-01T00:00:00Z') }),
        aHold({ gameId: 'c', heldUntil: new Date('2100-01-01T00:00:00Z'), reason: 'x\u001B[2J' }),
      ]).backend,
    );
    expect(await cli.run('holds')).toBe(0);
    expect(cli.written.stdout).toBe(
      [
        'GAME  UNTIL                        BY   REASON',
        'a     no end                       kim  evidence',
        'b     1969-01-01 00:00:00Z (over)  kim  evidence',
        String.raw`c     2100-01-01 00:00:00Z         kim  x\u001b[2J`,
        '',
      ].join('\n'),
    );
  });

  it('holds reads all pages with --all, and otherwise states that there are more', async () => {
    const many = Array.from({ length: 1_201 }, (_, n) => aHold({ gameId: String(n).padStart(4, '0') }));
    const all = fakeCli(fakeHolds(many).backend);
    const some = fakeCli(fakeHolds(many).backend);
    await all.run('holds', '--all', '--json');
    await some.run('holds', '--limit', '2', '--json');
    expect((all.json() as { holds: unknown[] }).holds).toHaveLength(1_201);
    expect(some.json()).toMatchObject({ holds: [{ gameId: '0000' }, { gameId: '0001' }], next: '0001' });
    const text = fakeCli(fakeHolds(many).backend);
    await text.run('holds');
    expect(text.written.stderr).toBe('There are more; add --all or a higher --limit.\n');
  });

  it('holds states that there are no holds', async () => {
    const cli = fakeCli(fakeHolds().backend);
    expect(await cli.run('holds')).toBe(0);
    expect(cli.written).toEqual({ stdout: '', stderr: 'There are no holds.\n' });
  });
});
