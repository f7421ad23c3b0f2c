import { describe, expect, it } from 'vitest';
import type { FinishedSweep, SweepReport } from '../../../../src/retention/ports.js';
import type { PlanFilter } from '../../../../src/retention/plan.js';
import type { SweepOptions } from '../../../../src/retention/sweep.js';
import { fakeCli, untilAborted } from '../fake-cli.js';
import { aHold, aJudgement, AS_OF, aSummary, fakeRetention } from '../fake-handles.js';

const facts = {
  asOf: '2026-03-01T00:00:00.000Z',
  finishedAt: '2026-03-01T00:00:01.000Z',
  stopped: 10,
  planned: 3,
  kept: { held: 1, dead_letter: 2, invalid_id: 0 },
};
const done: FinishedSweep = { ...facts, status: 'done', enqueued: 2, coalesced: 1, failed: 0 };
const refused: FinishedSweep = { ...facts, status: 'refused', maxShare: 0.5, reason: 'too many; use --max-share 80%' };

describe('sweep --dry-run', () => {
  it('shows which containers are due, which are kept and why, and what a sweep would do', async () => {
    const { backend, closed } = fakeRetention({
      plan: async () => ({
        asOf: AS_OF,
        next: null,
        items: [
          aJudgement(),
          aJudgement({ gameId: 'held', verdict: 'held', dueAt: null, hold: aHold({ gameId: 'held' }) }),
          aJudgement({
            gameId: 'dead',
            verdict: 'dead_letter',
            dueAt: null,
            deadLetter: { jobId: '12', code: 'conflict' },
          }),
          aJudgement({ gameId: 'soon', verdict: 'not_due', dueAt: new Date('2026-03-01T02:30:00Z') }),
        ],
      }),
      summary: async () => aSummary({ due: 1, held: 1, deadLetters: 1 }),
    });
    const cli = fakeCli(backend);
    expect(await cli.run('sweep', '--dry-run', '--all')).toBe(0);
    expect(cli.written.stdout).toBe(
      [
        'GAME    CONTAINER     STOPPED               DUE                   VERDICT      WHY',
        'game-1  a1a1a1a1a1a1  2026-01-02 10:00:00Z  2026-02-01 10:00:00Z  due          for 27 d',
        'held    a1a1a1a1a1a1  2026-01-02 10:00:00Z                        held         by kim without an end: evidence',
        'dead    a1a1a1a1a1a1  2026-01-02 10:00:00Z                        dead_letter  conflict; see dead-letters show 12',
        'soon    a1a1a1a1a1a1  2026-01-02 10:00:00Z  2026-03-01 02:30:00Z  not_due      in 2 h 30 min',
        '',
        '1 of 10 stopped containers are due after 30 d, the oldest for 1 h. Due but kept: 1 held, 1 with a dead letter.',
        'Records: 3 running, 10 stopped, 7 removed.',
        'A sweep would enqueue 1 cleanup.',
        '',
      ].join('\n'),
    );
    expect(cli.written.stderr).toBe('');
    expect(closed.times).toBe(1);
  });

  it('reads page after page, or as many rows as the limit allows, and enqueues nothing', async () => {
    const filters: PlanFilter[] = [];
    const plan = async (filter: PlanFilter) => {
      filters.push(filter);
      const next = filter.after === undefined ? 'a' : filter.after === 'a' ? 'b' : null;
      return { asOf: AS_OF, items: [aJudgement({ gameId: `after-${filter.after ?? 'start'}` })], next };
    };
    const all = fakeCli(fakeRetention({ plan }).backend);
    await all.run('sweep', '--dry-run', '--json');
    expect(all.json()).toMatchObject({
      plan: [{ gameId: 'after-start' }, { gameId: 'after-a' }, { gameId: 'after-b' }],
      next: null,
    });
    const two = fakeCli(fakeRetention({ plan }).backend);
    await two.run('sweep', '--dry-run', '--limit', '2', '--all');
    expect(filters.slice(3)).toEqual([
      { includeNotDue: true, after: undefined, limit: 2 },
      { includeNotDue: true, after: 'a', limit: 1 },
    ]);
    expect(two.written.stderr).toBe('There are more; leave --limit out to see all.\n');
  });

  it('prints the time, whole judgements and the summary with --json', async () => {
    const { backend } = fakeRetention({ plan: async () => ({ asOf: AS_OF, items: [aJudgement()], next: null }) });
    const cli = fakeCli(backend);
    expect(await cli.run('sweep', '--dry-run', '--json')).toBe(0);
    expect(cli.json()).toMatchObject({
      asOf: '2026-03-01T00:00:00.000Z',
      plan: [{ gameId: 'game-1', verdict: 'due', dueAt: '2026-02-01T10:00:00.000Z', hold: null, deadLetter: null }],
      next: null,
      summary: { due: 2, stopped: 10, lagMs: 3_600_000, refusal: null },
    });
  });

  it('says whether a sweep would be refused, by the share of --max-share when it is given', async () => {
    const summary = async () => aSummary({ stopped: 200, due: 150, refusal: 'too many' });
    const configured = fakeCli(fakeRetention({ summary }).backend);
    const allowed = fakeCli(fakeRetention({ summary }).backend);
    const stricter = fakeCli(fakeRetention({ summary }).backend);
    await configured.run('sweep', '--dry-run');
    await allowed.run('sweep', '--dry-run', '--max-share', '75%');
    await stricter.run('sweep', '--dry-run', '--max-share', '0.7');
    expect(configured.written.stdout).toContain('A sweep would be refused: too many.');
    expect(allowed.written.stdout).toContain('A sweep would enqueue 150 cleanups.');
    expect(stricter.written.stdout).toContain('--max-share 75%');
  });

  it('makes control characters visible', async () => {
    const evil = aJudgement({
      gameId: 'g\u001B[2J',
      verdict: 'held',
      hold: aHold({ reason: 'a\u0007b\nc', heldBy: '\u202Ekim' }),
    });
    const cli = fakeCli(fakeRetention({ plan: async () => ({ asOf: AS_OF, items: [evil], next: null }) }).backend);
    await cli.run('sweep', '--dry-run');
    const { stdout } = cli.written;
    expect(['\u001B', '\u0007', '\u202E'].filter((character) => stdout.includes(character))).toEqual([]);
    expect(stdout.split('\n')[1]).toContain('a\\u0007b\\u000ac');
  });
});

describe('sweep', () => {
  const sweeping = (report: SweepReport, options: SweepOptions[] = []) =>
    fakeRetention({
      sweep: async (asked) => {
        options.push(asked);
        asked.onProgress?.({ done: 3, total: 3 });
        return report;
      },
    });

  it('shows what it enqueued and what it kept, and ends with 0', async () => {
    const { backend, closed } = sweeping(done);
    const cli = fakeCli(backend);
    expect(await cli.run('sweep')).toBe(0);
    expect(cli.written).toEqual({
      stdout:
        '3 of 10 stopped containers are due: 2 enqueued, 1 were already in the queue.\n' +
        'Due but kept: 1 held, 2 with a dead letter.\n',
      stderr: 'enqueued 3 of 3\nWorkers remove the containers; `runtime-cleanup log <game-id>` shows the results.\n',
    });
    expect(closed.times).toBe(1);
  });

  it('ends with 1 and names the override when it is refused', async () => {
    const cli = fakeCli(sweeping(refused).backend);
    expect(await cli.run('sweep')).toBe(1);
    expect(cli.written.stdout).toBe('');
    expect(cli.written.stderr).toContain('runtime-cleanup: the sweep was refused: too many; use --max-share 80%\n');
  });

  it('ends with 1 when another sweep is running', async () => {
    const cli = fakeCli(sweeping({ status: 'busy' }).backend);
    expect(await cli.run('sweep')).toBe(1);
    expect(cli.written.stderr).toContain('another sweep is running');
  });

  it('ends with 1 when a game could not be enqueued', async () => {
    expect(await fakeCli(sweeping({ ...done, failed: 1 }).backend).run('sweep')).toBe(1);
  });

  it.each([
    [done, 0],
    [refused, 1],
    [{ status: 'busy' } as const, 1],
  ])('prints the report and nothing else with --json: %j', async (report, exitCode) => {
    const cli = fakeCli(sweeping(report).backend);
    expect(await cli.run('sweep', '--json')).toBe(exitCode);
    expect(cli.json()).toEqual(report);
    expect(cli.written.stderr).toBe('');
  });

  it('passes on the share of --max-share, and otherwise none', async () => {
    const options: SweepOptions[] = [];
    const { backend } = sweeping(done, options);
    await fakeCli(backend).run('sweep', '--max-share', '80%');
    await fakeCli(backend).run('sweep');
    expect(options.map(({ maxShare }) => maxShare)).toEqual([0.8, undefined]);
  });

  it('says how many jobs are in the queue when it is stopped, and ends with 1', async () => {
    const { backend, closed } = fakeRetention({
      sweep: async ({ onProgress, signal }) => {
        onProgress?.({ done: 500, total: 900 });
        return untilAborted(signal);
      },
    });
    const cli = fakeCli(backend);
    const running = cli.run('sweep');
    await cli.clock.advance(0);
    cli.raise('SIGTERM');
    expect(await running).toBe(1);
    expect(cli.written.stderr).toContain('500 jobs are in the queue and stay there.\n');
    expect(cli.written.stderr).toContain('stopped by SIGTERM');
    expect(closed.times).toBe(1);
  });

  it.each([
    ['--limit', '10'],
    ['--all', ''],
  ])('refuses %s without --dry-run, because it would not limit what is removed', async (option, value) => {
    const cli = fakeCli({});
    expect(await cli.run('sweep', option, ...(value === '' ? [] : [value]))).toBe(2);
    expect(cli.written.stderr).toContain('they need --dry-run');
  });

  it.each(['0', '0%', '101%', '80', 'half', '-1'])('refuses the share %s', async (share) => {
    const cli = fakeCli({});
    expect(await cli.run('sweep', `--max-share=${share}`)).toBe(2);
    expect(cli.written.stderr).toContain(`'${share}' is invalid. Allowed: above 0 and at most 100%`);
  });
});
