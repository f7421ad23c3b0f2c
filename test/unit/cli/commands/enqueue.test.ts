import { describe, expect, it } from 'vitest';
import { UnavailableError } from '../../../../src/domain/errors.js';
import type { ErrorCode } from '../../../../src/domain/error-codes.js';
import type { JobResult, JobWaiter } from '../../../../src/jobs/ports.js';
import { CONTAINER_ID } from '../../../support/records.js';
import { fakeCli, fakeProducer, untilAborted } from '../fake-cli.js';

const completed = (gameId: string, errorCode: ErrorCode = ''): JobResult => ({
  jobId: `job-of-${gameId}`,
  state: 'completed',
  result: { outcome: errorCode === 'conflict' ? 'failure' : 'success', errorCode, errorMessage: '', record: null },
});
const deadLetter = (gameId: string, reason: string): JobResult => ({
  jobId: `job-of-${gameId}`,
  state: 'failed',
  reason,
});
const endingWith =
  (...endings: readonly JobResult[]): JobWaiter['wait'] =>
  async (_jobIds, onEnd) =>
    endings.forEach(onEnd);

describe('enqueue', () => {
  it('adds one job a game and shows which were there already', async () => {
    const { world, enqueued, closed } = fakeProducer({});
    const cli = fakeCli(world);
    expect(await cli.run('enqueue', ' game-1 ', 'busy')).toBe(0);
    expect(enqueued).toEqual([
      [
        { gameId: 'game-1', opSource: 'operator_cli' },
        { gameId: 'busy', opSource: 'operator_cli' },
      ],
    ]);
    expect(cli.written.stdout).toBe(
      [
        'GAME    JOB            STATE    COALESCED',
        'game-1  job-of-game-1  waiting',
        'busy    job-of-busy    waiting  yes',
        '',
      ].join('\n'),
    );
    expect(closed.times).toBe(1);
  });

  it('passes source, reference and expected container on', async () => {
    const { world, enqueued } = fakeProducer({});
    await fakeCli(world).run('enqueue', 'g', '--source', 'admin_rest', '--ref', 'ticket 7', '--expect', CONTAINER_ID);
    expect(enqueued).toEqual([
      [{ gameId: 'g', opSource: 'admin_rest', sourceRef: 'ticket 7', expectedContainerId: CONTAINER_ID }],
    ]);
  });

  it('reads game ids from standard input where - stands, even when a letter is cut in two', async () => {
    const { world, enqueued } = fakeProducer({});
    const bytes = new TextEncoder().encode('jeu-é\r\n\n  game-2\n');
    const cli = fakeCli(world, { stdin: [bytes.slice(0, 5), bytes.slice(5)] });
    await cli.run('enqueue', 'first', '-', 'last');
    const asked = enqueued.flat().map((request) => (request as { gameId: string }).gameId);
    expect(asked).toEqual(['first', 'jeu-é', 'game-2', 'last']);
  });

  it('sends many games in batches, and tells how far it is', async () => {
    const { world, enqueued } = fakeProducer({});
    const cli = fakeCli(world, { stdin: [Array.from({ length: 501 }, (_, n) => `game-${n}`).join('\n')] });
    expect(await cli.run('enqueue', '-')).toBe(0);
    expect(enqueued.map((batch) => batch.length)).toEqual([250, 250, 1]);
    expect(cli.written.stderr).toBe('enqueued 250 of 501\nenqueued 500 of 501\nenqueued 501 of 501\n');
  });

  it('without waiting ends with 0 however fast a worker was: the queue had the job', async () => {
    const { world } = fakeProducer({
      enqueue: async (requests) =>
        requests.map(({ gameId }) => ({ gameId, jobId: `job-of-${gameId}`, state: 'failed', coalesced: false })),
    });
    expect(await fakeCli(world).run('enqueue', 'game-1')).toBe(0);
  });

  it('with --json prints stable names and nothing else', async () => {
    const cli = fakeCli(fakeProducer({}).world);
    expect(await cli.run('enqueue', 'game-1', '--json')).toBe(0);
    expect(cli.json()).toEqual({
      jobs: [{ gameId: 'game-1', jobId: 'job-of-game-1', state: 'waiting', coalesced: false, code: null, message: '' }],
    });
    expect(cli.written.stderr).toBe('');
  });

  it('draws a bar on a terminal', async () => {
    const cli = fakeCli(fakeProducer({}).world, { isTTY: true, environment: { NO_COLOR: '1' } });
    await cli.run('enqueue', 'game-1');
    expect(cli.written.stderr).toContain('enqueued');
    expect(cli.written.stderr).toContain('0 of 1');
  });
});

describe('what cannot be a request', () => {
  const cases: readonly (readonly [situation: string, args: readonly string[], says: string])[] = [
    ['a game id with a control character', ['a\u0000b'], 'contains a control character'],
    ['a game id that is too long', ['g'.repeat(257)], 'at most 256 are allowed'],
    ['blanks for a game id', ['  '], 'gameId is empty'],
    ['an unknown source', ['g', '--source', 'me'], 'opSource "me" is unknown'],
    ['a reference that is too long', ['g', '--ref', 'r'.repeat(257)], 'at most 256 are allowed'],
    ['a short container id', ['g', '--expect', 'abc123'], 'full container id'],
    ['one container for two games', ['g', 'h', '--expect', CONTAINER_ID], 'goes with one game id'],
    ['nothing on standard input', ['-'], 'no game id was given'],
    ['a time that is none', ['g', '--wait', 'long'], 'Allowed: 500ms, 30s, 5m, 1h'],
  ];
  it.each(cases)('%s is refused before anything is sent, with 2', async (_situation, args, says) => {
    const { world, enqueued } = fakeProducer({});
    const cli = fakeCli(world);
    expect(await cli.run('enqueue', ...args)).toBe(2);
    expect(cli.written.stderr).toContain(says);
    expect(enqueued).toEqual([]);
  });

  it('is told for each game, but not for a thousand', async () => {
    const cli = fakeCli({}, { stdin: ['\u0007\n'.repeat(1_000)] });
    expect(await cli.run('enqueue', '-')).toBe(2);
    const lines = cli.written.stderr.split('\n').filter((line) => line.startsWith('runtime-cleanup: '));
    expect(lines).toHaveLength(11);
    expect(lines.at(-1)).toBe('runtime-cleanup: and 990 more like these');
  });
});

describe('a queue that goes away half-way', () => {
  const half = () => {
    let calls = 0;
    return fakeProducer({
      enqueue: async (requests) => {
        calls += 1;
        if (calls === 2) throw new UnavailableError('queue', 'the store is away');
        return requests.map(({ gameId }) => ({ gameId, jobId: gameId, state: 'waiting', coalesced: false }));
      },
    });
  };

  it('ends with 1, says why, and still tells which games it has', async () => {
    const { world, closed } = half();
    const cli = fakeCli(world, { stdin: [Array.from({ length: 251 }, (_, n) => `game-${n}`).join('\n')] });
    expect(await cli.run('enqueue', '-', '--json')).toBe(1);
    const { jobs } = cli.json() as { jobs: { state: string; jobId: string | null }[] };
    expect(jobs.filter(({ state }) => state === 'waiting')).toHaveLength(250);
    expect(jobs.at(-1)).toMatchObject({ state: 'not_enqueued', jobId: null });
    expect(JSON.parse(cli.written.stderr)).toMatchObject({ error: { code: 'service_unavailable' } });
    expect(closed.times).toBe(1);
  });
});

describe('enqueue --wait', () => {
  it('shows how each job ended, and ends with 0 when all completed', async () => {
    const { world } = fakeProducer({ wait: endingWith(completed('a'), completed('b', 'replay_no_op')) });
    const cli = fakeCli(world);
    expect(await cli.run('enqueue', 'a', 'b', '--wait')).toBe(0);
    expect(cli.written.stdout).toBe(
      [
        'GAME  JOB       STATE      COALESCED  CODE          MESSAGE',
        'a     job-of-a  completed',
        'b     job-of-b  completed             replay_no_op',
        '',
      ].join('\n'),
    );
    expect(cli.written.stderr).toBe('enqueued 2 of 2\na: completed\nb: completed, replay_no_op\n');
  });

  it('ends with 1 when a job completed without what was asked for: it was the retention sweep’s, and declined', async () => {
    const { world } = fakeProducer({ wait: endingWith(completed('a', 'conflict')) });
    expect(await fakeCli(world).run('enqueue', 'a', '--wait')).toBe(1);
  });

  it('ends with 1 when one is a dead letter, and shows its code and message', async () => {
    const { world } = fakeProducer({
      wait: endingWith(completed('a'), deadLetter('b', 'container_mismatch: label names game "x"')),
    });
    const cli = fakeCli(world);
    expect(await cli.run('enqueue', 'a', 'b', '--wait', '--json')).toBe(1);
    expect(cli.json()).toMatchObject({
      jobs: [
        { gameId: 'a', state: 'completed', code: '' satisfies ErrorCode },
        { gameId: 'b', state: 'failed', code: 'container_mismatch', message: 'label names game "x"' },
      ],
    });
  });

  it('shows the reason of a dead letter that is not of our making as it is', async () => {
    const { world } = fakeProducer({ wait: endingWith(deadLetter('a', 'job stalled more than allowable limit')) });
    const cli = fakeCli(world);
    expect(await cli.run('enqueue', 'a', '--wait', '--json')).toBe(1);
    expect(cli.json()).toMatchObject({
      jobs: [{ code: 'internal_error', message: 'job stalled more than allowable limit' }],
    });
  });

  it('ends with 1 when the queue forgot a job, because nobody can tell how it ended', async () => {
    const { world } = fakeProducer({ wait: endingWith({ jobId: 'job-of-a', state: 'missing' }) });
    const cli = fakeCli(world);
    expect(await cli.run('enqueue', 'a', '--wait')).toBe(1);
    expect(cli.written.stdout).toContain('see the operation log');
  });

  it('waits for each job once, also when two requests share one', async () => {
    const waited: unknown[] = [];
    const { world } = fakeProducer({
      wait: async (jobIds, onEnd) => {
        waited.push(jobIds);
        onEnd(completed('a'));
      },
    });
    expect(await fakeCli(world).run('enqueue', 'a', 'a', '--wait')).toBe(0);
    expect(waited).toEqual([['job-of-a']]);
  });

  it('gives up when its time is over, says that the jobs stay, and ends with 1', async () => {
    const { world, closed } = fakeProducer({
      wait: (_jobIds, onEnd, signal) => {
        onEnd(completed('a'));
        return untilAborted(signal);
      },
    });
    const cli = fakeCli(world);
    const running = cli.run('enqueue', 'a', 'b', '--wait', '30s');
    await cli.clock.advance(29_999);
    expect(cli.written.stdout).toBe('');
    await cli.clock.advance(1);
    expect(await running).toBe(1);
    expect(cli.written.stderr).toContain('The time is over; 1 of 2 jobs have not ended. They stay in the queue');
    expect(cli.written.stdout).toMatch(/^b +job-of-b +waiting$/m);
    expect(closed.times).toBe(1);
  });

  it('leaves the jobs in the queue on Ctrl-C, says so, and ends with 1', async () => {
    const { world, closed } = fakeProducer({ wait: (_jobIds, _onEnd, signal) => untilAborted(signal) });
    const cli = fakeCli(world);
    const running = cli.run('enqueue', 'a', '--wait');
    await cli.clock.advance(60_000);
    cli.raise('SIGINT');
    expect(await running).toBe(1);
    expect(cli.written.stderr).toContain('No longer waiting; 1 of 1 jobs have not ended. They stay in the queue');
    expect(closed.times).toBe(1);
    expect(cli.clock.pendingMs()).toEqual([]);
  });

  it('passes on what breaks while it waits, after showing what is known', async () => {
    const { world } = fakeProducer({ wait: () => Promise.reject(new TypeError('bug')) });
    const cli = fakeCli(world);
    expect(await cli.run('enqueue', 'a', '--wait')).toBe(1);
    expect(cli.written.stdout).toContain('job-of-a');
    expect(cli.written.stderr).toContain('runtime-cleanup: bug');
  });
});
