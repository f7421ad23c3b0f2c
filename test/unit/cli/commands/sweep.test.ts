import { describe, expect, it, vi } from 'vitest';
import type { SweepReport } from '../../../../src/retention/ports.js';
import type { RuntimeRecord } from '../../../../src/domain/runtime-record.js';
import { addFakeJob, addFailedFakeJob } from '../../../support/fakes/state.js';
import { aHold, aRecord, doneSweep, refusedSweep } from '../../../support/records.js';
import type { SweepOptions } from '../../../../src/retention/sweep.js';
import { untilAborted } from '../../../support/calls.js';
import { fakeCli } from '../fake-cli.js';
import { fakeRetention } from '../fake-handles.js';

/** Retention of 30 days on 2026-03-01 over these records; `aRecord()` is due since 2026-02-01. */
function retentionOf(...records: readonly RuntimeRecord[]) {
  const opened = fakeRetention();
  for (const record of records) opened.state.records.set(record.gameId, record);
  return opened;
}
const manyRecords = (count: number, name: string, over: Partial<RuntimeRecord> = {}): readonly RuntimeRecord[] =>
  Array.from({ length: count }, (_, n) => aRecord({ gameId: `${name}-${n + 1}`, ...over }));
const NOT_DUE = { stoppedAt: new Date('2026-02-20T00:00:00Z') };

describe('sweep --dry-run', () => {
  it('sweep --dry-run shows which containers are due or kept, why, and what a sweep would do', async () => {
    const { backend, closed, state } = retentionOf(
      ...['game-1', 'held', 'late'].map((gameId) => aRecord({ gameId })),
      aRecord({ gameId: 'soon', stoppedAt: new Date('2026-01-30T02:30:00Z') }),
      ...manyRecords(3, 'running', { status: 'running' }),
      ...manyRecords(7, 'removed', { status: 'removed' }),
    );
    state.holds.set('held', aHold({ gameId: 'held' }));
    addFailedFakeJob(state, { jobId: '12', data: { gameId: 'late' }, reason: 'conflict: it runs' });
    const cli = fakeCli(backend);
    expect(await cli.run('sweep', '--dry-run', '--all')).toBe(0);
    expect(cli.written.stdout).toBe(
      [
        'GAME    CONTAINER     STOPPED               DUE                   VERDICT      WHY',
        'game-1  a1a1a1a1a1a1  2026-01-02 10:00:00Z  2026-02-01 10:00:00Z  due          for 27 d',
        'held    a1a1a1a1a1a1  2026-01-02 10:00:00Z                        held         by kim without an end: evidence',
        'late    a1a1a1a1a1a1  2026-01-02 10:00:00Z                        dead_letter  conflict; see dead-letters show 12',
        'soon    a1a1a1a1a1a1  2026-01-30 02:30:00Z  2026-03-01 02:30:00Z  not_due      in 2 h 30 min',
        '',
        '1 of 4 stopped containers are due after 30 d, the oldest for 27 d. Due but kept: 1 held, 1 with a dead letter.',
        'Records: 3 running, 4 stopped, 7 removed.',
        'A sweep would enqueue 1 cleanup.',
        '',
      ].join('\n'),
    );
    expect(cli.written.stderr).toBe('');
    expect(closed.times).toBe(1);
  });

  it('sweep --dry-run reads all pages or up to its limit, and enqueues nothing', async () => {
    const { backend, retention, state } = retentionOf(...['a', 'b', 'c'].map((gameId) => aRecord({ gameId })));
    const { plan } = retention;
    const pages = vi.spyOn(retention, 'plan').mockImplementation((filter) => plan({ ...filter, limit: 1 }));
    const all = fakeCli(backend);
    await all.run('sweep', '--dry-run', '--json');
    expect(all.json()).toMatchObject({ plan: [{ gameId: 'a' }, { gameId: 'b' }, { gameId: 'c' }], next: null });
    const two = fakeCli(backend);
    await two.run('sweep', '--dry-run', '--limit', '2', '--all');
    expect(pages.mock.calls.slice(3)).toEqual([
      [{ includeNotDue: true, after: undefined, limit: 2 }],
      [{ includeNotDue: true, after: expect.any(String), limit: 1 }],
    ]);
    expect(two.written.stdout).toMatch(/^a .*\nb .*\n\n/m);
    expect(two.written.stderr).toBe('There are more; leave --limit out to see all.\n');
    expect(state.jobs.size).toBe(0);
  });

  it('sweep --dry-run prints the time, whole judgements and the summary with --json', async () => {
    const { backend } = retentionOf(aRecord());
    const cli = fakeCli(backend);
    expect(await cli.run('sweep', '--dry-run', '--json')).toBe(0);
    expect(cli.json()).toMatchObject({
      asOf: '2026-03-01T00:00:00.000Z',
      plan: [{ gameId: 'game-1', verdict: 'due', dueAt: '2026-02-01T10:00:00.000Z', hold: null, deadLetter: null }],
      next: null,
      summary: { due: 1, stopped: 1, lagMs: (27 * 24 + 14) * 3_600_000, refusal: null },
    });
  });

  it('sweep --dry-run states whether a sweep would be refused, with the share of --max-share if given', async () => {
    const { backend } = retentionOf(...manyRecords(150, 'due'), ...manyRecords(50, 'recent', NOT_DUE));
    const [configured, allowed, stricter] = [fakeCli(backend), fakeCli(backend), fakeCli(backend)];
    await configured.run('sweep', '--dry-run');
    await allowed.run('sweep', '--dry-run', '--max-share', '75%');
    await stricter.run('sweep', '--dry-run', '--max-share', '0.7');
    expect(configured.written.stdout).toContain('A sweep would be refused: 150 of 200 stopped records are due');
    expect(allowed.written.stdout).toContain('A sweep would enqueue 150 cleanups.');
    expect(stricter.written.stdout).toContain('--max-share 75%');
  });

  it('sweep --dry-run makes control characters visible', async () => {
    const { backend, state } = retentionOf(aRecord({ gameId: 'g\u001B[2J' }), aRecord());
    state.holds.set('game-1', aHold({ reason: 'a\u0007b\nc', heldBy: '\u202Ekim' }));
    const cli = fakeCli(backend);
    await cli.run('sweep', '--dry-run');
    const { stdout } = cli.written;
    expect(['\u001B', '\u0007', '\u202E'].filter((character) => stdout.includes(character))).toEqual([]);
    const [, idLine, holdLine] = stdout.split('\n');
    expect(idLine).toContain('g\\u001b[2J');
    expect(holdLine).toContain('a\\u0007b\\u000ac');
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

  it('sweep shows what it enqueued and what it kept, and ends with 0', async () => {
    const { backend, closed, state } = retentionOf(
      ...manyRecords(3, 'due'),
      ...['held', 'late-1', 'late-2'].map((gameId) => aRecord({ gameId })),
      ...manyRecords(4, 'recent', NOT_DUE),
    );
    state.holds.set('held', aHold({ gameId: 'held' }));
    for (const gameId of ['late-1', 'late-2']) addFailedFakeJob(state, { data: { gameId } });
    addFakeJob(state, { gameId: 'due-2', opSource: 'admin_rest' }, { key: 'due-2' });
    const cli = fakeCli(backend);
    expect(await cli.run('sweep')).toBe(0);
    expect(cli.written).toEqual({
      stdout:
        '3 of 10 stopped containers are due: 2 enqueued, 1 were already in the queue.\n' +
        'Due but kept: 1 held, 2 with a dead letter.\n',
      stderr: 'enqueued 3 of 3\nWorkers remove the containers; `runtime-cleanup log <game-id>` shows the results.\n',
    });
    const waiting = [...state.jobs.values()].filter((job) => job.state === 'waiting');
    expect(waiting.map(({ key }) => key)).toEqual(['due-2', 'due-1', 'due-3']);
    expect(closed.times).toBe(1);
  });

  it('sweep ends with 1 and names the override when it is refused', async () => {
    const { backend, state } = retentionOf(...manyRecords(80, 'due'), ...manyRecords(20, 'recent', NOT_DUE));
    const cli = fakeCli(backend);
    expect(await cli.run('sweep')).toBe(1);
    expect(cli.written.stdout).toBe('');
    expect(cli.written.stderr).toContain('runtime-cleanup: the sweep was refused: 80 of 100 stopped records are due');
    expect(cli.written.stderr).toContain('--max-share 80%');
    expect(state.jobs.size).toBe(0);
  });

  it('sweep ends with 1 when another sweep is running', async () => {
    const { backend, state, sweepLock } = retentionOf(aRecord());
    const cli = fakeCli(backend);
    expect(await sweepLock.exclusively(() => cli.run('sweep'))).toBe(1);
    expect(cli.written.stderr).toContain('another sweep is running');
    expect(state.jobs.size).toBe(0);
  });

  it('sweep ends with 1 when a game could not be enqueued', async () => {
    expect(await fakeCli(sweeping(doneSweep({ failed: 1 })).backend).run('sweep')).toBe(1);
  });

  it.each([
    [doneSweep(), 0],
    [refusedSweep(), 1],
    [{ status: 'busy' } as const, 1],
  ])('sweep prints the report and nothing else with --json: %j', async (report, exitCode) => {
    const cli = fakeCli(sweeping(report).backend);
    expect(await cli.run('sweep', '--json')).toBe(exitCode);
    expect(cli.json()).toEqual(report);
    expect(cli.written.stderr).toBe('');
  });

  it('sweep passes on the share of --max-share, and no share without it', async () => {
    const options: SweepOptions[] = [];
    const { backend } = sweeping(doneSweep(), options);
    await fakeCli(backend).run('sweep', '--max-share', '80%');
    await fakeCli(backend).run('sweep');
    expect(options.map(({ maxShare }) => maxShare)).toEqual([0.8, undefined]);
  });

  it('a stopped sweep prints how many jobs are in the queue, and ends with 1', async () => {
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
  ])('sweep refuses %s without --dry-run, because it would not limit what is removed', async (option, value) => {
    const cli = fakeCli({});
    expect(await cli.run('sweep', option, ...(value === '' ? [] : [value]))).toBe(2);
    expect(cli.written.stderr).toContain('they need --dry-run');
  });

  it.each(['0', '0%', '101%', '80', 'half', '-1'])('sweep refuses the share %s', async (share) => {
    const cli = fakeCli({});
    expect(await cli.run('sweep', `--max-share=${share}`)).toBe(2);
    expect(cli.written.stderr).toContain(`'${share}' is invalid. Allowed: above 0 and at most 100%`);
  });
});
