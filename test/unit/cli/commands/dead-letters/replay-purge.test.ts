import { describe, expect, it, vi } from 'vitest';
import { UnavailableError } from '../../../../../src/domain/errors.js';
import type { BulkOptions, DeadLetterFilter } from '../../../../../src/jobs/dead-letters.js';
import { addFakeJob } from '../../../../support/fakes/state.js';
import { untilAborted } from '../../../../support/calls.js';
import { fakeCli } from '../../fake-cli.js';
import { addDeadLetter, fakeDeadLetters } from '../../fake-handles.js';

/** The dead letters 12 and 13, and the job `busy`, which is running. */
function twoAndBusy() {
  const opened = fakeDeadLetters();
  for (const jobId of ['12', '13']) addDeadLetter(opened.state, undefined, { jobId });
  addFakeJob(opened.state, { gameId: 'game-2' }, { jobId: 'busy', state: 'active' });
  return { ...opened, stateOf: (jobId: string) => opened.state.jobs.get(jobId)?.state };
}

describe('dead-letters replay of job ids', () => {
  it('a replay of job ids shows the answer for each, replays each once, and ends with 0', async () => {
    const { backend, closed, deadLetters, stateOf } = twoAndBusy();
    const replay = vi.spyOn(deadLetters, 'replay');
    const cli = fakeCli(backend);
    expect(await cli.run('dead-letters', 'replay', '12', 'busy', '12')).toBe(0);
    expect(replay.mock.calls).toEqual([['12'], ['busy']]);
    expect(['12', '13', 'busy'].map(stateOf)).toEqual(['waiting', 'failed', 'active']);
    expect(cli.written.stdout).toBe(
      [
        'JOB   ANSWER',
        '12    replayed: it is in the queue again',
        'busy  not changed: it is no longer a dead letter, but active',
        '',
      ].join('\n'),
    );
    expect(closed.times).toBe(1);
  });

  it('a replay of job ids ends with 1 when one is missing, and still replays the others', async () => {
    const { backend, stateOf } = twoAndBusy();
    const cli = fakeCli(backend);
    expect(await cli.run('dead-letters', 'replay', 'gone', '12', '--json')).toBe(1);
    expect(stateOf('12')).toBe('waiting');
    expect(cli.json()).toEqual({
      jobs: [
        { jobId: 'gone', status: 'missing' },
        { jobId: '12', status: 'replayed' },
      ],
    });
  });

  it('a replay of job ids shows the answers before an outage', async () => {
    const { backend, deadLetters } = twoAndBusy();
    const { replay } = deadLetters;
    vi.spyOn(deadLetters, 'replay').mockImplementation((jobId) =>
      jobId === '13' ? Promise.reject(new UnavailableError('queue', 'no answer')) : replay(jobId),
    );
    const cli = fakeCli(backend);
    expect(await cli.run('dead-letters', 'replay', '12', '13')).toBe(1);
    expect(cli.written.stdout).toContain('12   replayed');
    expect(cli.written.stderr).toContain('runtime-cleanup: no answer');
  });
});

describe('dead-letters replay of many', () => {
  it('a replay of many passes on filter and rate, and prints ten lines of progress in a pipe', async () => {
    const { backend, closed, deadLetters, state } = fakeDeadLetters();
    const ids = Array.from({ length: 1_000 }, () => addDeadLetter(state).jobId);
    addDeadLetter(state, 'not_found: no record', { jobId: 'other' });
    const replayAll = vi.spyOn(deadLetters, 'replayAll');
    // Two of them are purged while the others are replayed.
    const unsubscribe = state.onJobChange(() => {
      unsubscribe();
      const failed = ids.filter((id) => state.jobs.get(id)?.state === 'failed');
      for (const id of failed.slice(0, 2)) state.removeJob(id);
    });
    const cli = fakeCli(backend);
    expect(await cli.run('dead-letters', 'replay', '--code', 'conflict', '--rate', '50')).toBe(0);
    expect(replayAll.mock.calls).toMatchObject([[{ code: 'conflict' }, { perSecond: 50 }]]);
    expect(state.jobs.get('other')?.state).toBe('failed');
    expect(cli.written.stdout).toBe('Replayed 998 dead letters; 2 had stopped being dead letters in the meantime.\n');
    const lines = cli.written.stderr.trimEnd().split('\n');
    expect(lines).toEqual(Array.from({ length: 10 }, (_, n) => `replayed ${(n + 1) * 100} of 1000`));
    expect(closed.times).toBe(1);
  });

  it('a replay of many needs --all for all dead letters, and prints only the counts with --json', async () => {
    const { backend, deadLetters, state } = fakeDeadLetters();
    for (const code of ['conflict', 'not_found', 'internal_error']) addDeadLetter(state, `${code}: because`);
    const replayAll = vi.spyOn(deadLetters, 'replayAll');
    const cli = fakeCli(backend);
    expect(await cli.run('dead-letters', 'replay', '--all', '--json')).toBe(0);
    expect(replayAll.mock.calls.map(([filter]) => filter)).toEqual([{}]);
    expect([...state.jobs.values()].map((job) => job.state)).toEqual(['waiting', 'waiting', 'waiting']);
    expect(cli.json()).toEqual({ done: 3, skipped: 0 });
    expect(cli.written.stderr).toBe('');
  });

  it('a stopped replay prints how many are done', async () => {
    const replayAll = async (_filter: DeadLetterFilter, { onProgress, signal }: BulkOptions) => {
      onProgress?.({ done: 7, total: 9 });
      return untilAborted(signal);
    };
    const cli = fakeCli(fakeDeadLetters({ replayAll }).backend);
    const running = cli.run('dead-letters', 'replay', '--all');
    await cli.clock.advance(0);
    cli.raise('SIGINT');
    expect(await running).toBe(1);
    expect(cli.written.stderr).toContain('7 were replayed; run the command again for the rest.');
  });
});

describe('dead-letters purge', () => {
  it('a purge of job ids needs no --yes', async () => {
    const { backend, stateOf } = twoAndBusy();
    const cli = fakeCli(backend);
    expect(await cli.run('dead-letters', 'purge', '12', 'gone', '--json')).toBe(1);
    expect(cli.json()).toEqual({
      jobs: [
        { jobId: '12', status: 'purged' },
        { jobId: 'gone', status: 'missing' },
      ],
    });
    expect([stateOf('12'), stateOf('13')]).toEqual([undefined, 'failed']);
  });

  it('a purge of many without --yes prints how many would be deleted and deletes nothing', async () => {
    const { backend, closed, deadLetters, state } = fakeDeadLetters();
    for (const code of ['conflict', 'not_found', 'conflict', 'not_found']) addDeadLetter(state, `${code}: because`);
    const { list } = deadLetters;
    vi.spyOn(deadLetters, 'list').mockImplementation((query) => list({ ...query, limit: 2 }));
    const cli = fakeCli(backend);
    expect(await cli.run('dead-letters', 'purge', '--all')).toBe(2);
    expect(cli.written.stderr).toContain(
      'this would delete 4 dead letters (2 not_found, 2 conflict) for good; add --yes to delete them. Nothing has been deleted',
    );
    expect(state.jobs.size).toBe(4);
    expect(closed.times).toBe(1);
  });

  it('a purge of many without --yes ends with 0 when there are none', async () => {
    const { backend, state } = fakeDeadLetters();
    addDeadLetter(state, undefined, { finishedAt: new Date('2100-01-01T00:00:00Z') });
    const cli = fakeCli(backend);
    expect(await cli.run('dead-letters', 'purge', '--older-than', '30d')).toBe(0);
    expect(cli.written.stdout).toBe('There are no such dead letters.\n');
  });

  it('a purge of many with --yes deletes them', async () => {
    const { backend, state } = fakeDeadLetters();
    addDeadLetter(state, 'not_found: no record');
    const other = addDeadLetter(state);
    const cli = fakeCli(backend);
    expect(await cli.run('dead-letters', 'purge', '--code', 'not_found', '--yes')).toBe(0);
    expect(cli.written.stdout).toBe('Purged 1 dead letter.\n');
    expect([...state.jobs.keys()]).toEqual([other.jobId]);
  });
});

describe.each(['replay', 'purge'])('the selection for %s', (command) => {
  const cases: readonly (readonly [situation: string, args: readonly string[], says: string])[] = [
    ['no selection', [], 'no dead letters are named; allowed: job ids, or --code, --game, --older-than, or --all'],
    ['a rate without a selection', ['--rate', '5'], 'no dead letters are named'],
    ['job ids beside --all', ['12', '--all'], 'job ids cannot be combined with'],
    ['job ids beside a filter', ['12', '--game', 'g'], 'job ids cannot be combined with'],
    ['a rate for job ids', ['12', '--rate', '5'], 'job ids cannot be combined with'],
    ['a filter beside --all', ['--all', '--code', 'conflict'], '--all means every dead letter'],
    ['an unknown code', ['--code', 'oops'], "'oops' is invalid. Allowed choices are invalid_request,"],
    ['an invalid game id', ['--game', 'a\u0007'], 'contains a control character'],
    ['an invalid age', ['--older-than', 'yesterday'], "'yesterday' is invalid. Allowed: 30s, 5m, 1h, 7d"],
    ['a rate of 0', ['--all', '--rate', '0'], "'0' is invalid. Allowed: a whole number from 1 to 10000"],
    ['a fraction as rate', ['--all', '--rate', '1.5'], "'1.5' is invalid"],
    ['an empty job id', [''], 'a job id is empty'],
    ['a job id with NUL', ['a\0b'], String.raw`job id "a\u0000b" is not storable text`],
    ['a job id that is too long', ['x'.repeat(1_001)], 'is too long; allowed: at most 1000 characters'],
  ];
  it.each(cases)(`${command} with %s is refused and changes nothing`, async (_situation, args, says) => {
    const cli = fakeCli({});
    expect(await cli.run('dead-letters', command, ...args)).toBe(2);
    expect(cli.written.stdout).toBe('');
    expect(cli.written.stderr.split('\n').filter((line) => line.startsWith('runtime-cleanup: '))).toEqual([
      expect.stringContaining(says),
    ]);
  });
});
