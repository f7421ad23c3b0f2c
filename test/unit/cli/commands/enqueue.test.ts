import { describe, expect, it, vi } from 'vitest';
import { UnavailableError } from '../../../../src/domain/errors.js';
import type { ErrorCode } from '../../../../src/domain/error-codes.js';
import { addFakeJob, endFakeJobs, jobText } from '../../../support/fakes/state.js';
import { CONTAINER_ID } from '../../../support/records.js';
import { fakeCli } from '../fake-cli.js';
import { fakeProducer } from '../fake-handles.js';

const completed = (errorCode: ErrorCode = '') => ({
  state: 'completed' as const,
  result: {
    outcome: errorCode === 'conflict' ? ('failure' as const) : ('success' as const),
    errorCode,
    errorMessage: '',
    record: null,
    removal: errorCode === '' ? ('removed' as const) : ('' as const),
  },
});
const deadLetter = (reason: string) => ({ state: 'failed' as const, reason });

/** A queue in which the job of each named game ends at once in the given way. */
function producerEnding(ends: Readonly<Record<string, ReturnType<typeof completed | typeof deadLetter>>>) {
  const producer = fakeProducer();
  endFakeJobs(producer.state, (job) => ends[jobText(job, 'gameId')]);
  return producer;
}

describe('enqueue', () => {
  it('enqueue adds one job for each game and shows which were already in the queue', async () => {
    const { backend, enqueued, closed, state } = fakeProducer();
    addFakeJob(state, { gameId: 'busy', opSource: 'admin_rest' }, { key: 'busy' });
    const cli = fakeCli(backend);
    expect(await cli.run('enqueue', ' game-1 ', 'busy')).toBe(0);
    expect(enqueued).toEqual([
      [
        { gameId: 'game-1', opSource: 'operator_cli' },
        { gameId: 'busy', opSource: 'operator_cli' },
      ],
    ]);
    expect(cli.written.stdout).toBe(
      ['GAME    JOB  STATE    COALESCED', 'game-1  2    waiting', 'busy    1    waiting  yes', ''].join('\n'),
    );
    expect(closed.times).toBe(1);
  });

  it('enqueue passes on source, reference and expected container', async () => {
    const { backend, enqueued } = fakeProducer();
    await fakeCli(backend).run('enqueue', 'g', '--source', 'admin_rest', '--ref', 'ticket 7', '--expect', CONTAINER_ID);
    expect(enqueued).toEqual([
      [{ gameId: 'g', opSource: 'admin_rest', sourceRef: 'ticket 7', expectedContainerId: CONTAINER_ID }],
    ]);
  });

  it('enqueue reads game ids from standard input for -, even when a character is split between two chunks', async () => {
    const { backend, enqueued } = fakeProducer();
    const bytes = new TextEncoder().encode('jeu-é\r\n\n  game-2\n');
    const cli = fakeCli(backend, { stdin: [bytes.slice(0, 5), bytes.slice(5)] });
    await cli.run('enqueue', 'first', '-', 'last');
    const asked = enqueued.flat().map((request) => (request as { gameId: string }).gameId);
    expect(asked).toEqual(['first', 'jeu-é', 'game-2', 'last']);
  });

  it('enqueue sends many games in batches, and reports the progress', async () => {
    const { backend, enqueued } = fakeProducer();
    const cli = fakeCli(backend, { stdin: [Array.from({ length: 501 }, (_, n) => `game-${n}`).join('\n')] });
    expect(await cli.run('enqueue', '-')).toBe(0);
    expect(enqueued.map((batch) => batch.length)).toEqual([250, 250, 1]);
    expect(cli.written.stderr).toBe('enqueued 250 of 501\nenqueued 500 of 501\nenqueued 501 of 501\n');
  });

  it('enqueue without --wait ends with 0 even when the job has already failed', async () => {
    const { backend } = fakeProducer({
      enqueue: async (requests) =>
        requests.map(({ gameId }) => ({ gameId, jobId: '1', state: 'failed', coalesced: false })),
    });
    expect(await fakeCli(backend).run('enqueue', 'game-1')).toBe(0);
  });

  it('enqueue prints stable field names and nothing else with --json', async () => {
    const cli = fakeCli(fakeProducer().backend);
    expect(await cli.run('enqueue', 'game-1', '--json')).toBe(0);
    expect(cli.json()).toEqual({
      jobs: [
        { gameId: 'game-1', jobId: '1', state: 'waiting', coalesced: false, code: null, message: '', removal: '' },
      ],
    });
    expect(cli.written.stderr).toBe('');
  });

  it('enqueue draws a bar on a terminal', async () => {
    const cli = fakeCli(fakeProducer().backend, { isTTY: true, environment: { NO_COLOR: '1' } });
    await cli.run('enqueue', 'game-1');
    expect(cli.written.stderr).toContain('enqueued');
    expect(cli.written.stderr).toContain('0 of 1');
  });
});

describe('an invalid enqueue', () => {
  const cases: readonly (readonly [situation: string, args: readonly string[], says: string])[] = [
    ['a game id with a control character', ['a\u0000b'], 'contains a control character'],
    ['a game id that is too long', ['g'.repeat(257)], 'at most 256 are allowed'],
    ['spaces as game id', ['  '], 'gameId is empty'],
    ['an unknown source', ['g', '--source', 'me'], 'opSource "me" is unknown'],
    ['a reference that is too long', ['g', '--ref', 'r'.repeat(257)], 'at most 256 are allowed'],
    ['a short container id', ['g', '--expect', 'abc123'], 'full container id'],
    ['one container for two games', ['g', 'h', '--expect', CONTAINER_ID], 'needs exactly one game id'],
    ['nothing on standard input', ['-'], 'no game id was given'],
    ['an invalid time', ['g', '--wait', 'long'], 'Allowed: 500ms, 30s, 5m, 1h'],
  ];
  it.each(cases)('enqueue with %s ends with 2 before anything is sent', async (_situation, args, says) => {
    const { backend, enqueued } = fakeProducer();
    const cli = fakeCli(backend);
    expect(await cli.run('enqueue', ...args)).toBe(2);
    expect(cli.written.stderr).toContain(says);
    expect(enqueued).toEqual([]);
  });

  it('enqueue reports only the first ten problems', async () => {
    const cli = fakeCli({}, { stdin: ['\u0007\n'.repeat(1_000)] });
    expect(await cli.run('enqueue', '-')).toBe(2);
    const lines = cli.written.stderr.split('\n').filter((line) => line.startsWith('runtime-cleanup: '));
    expect(lines).toHaveLength(11);
    expect(lines.at(-1)).toBe('runtime-cleanup: and 990 more like these');
  });
});

describe('enqueue during an outage', () => {
  const half = () => {
    let calls = 0;
    const { enqueue } = fakeProducer().cleanupQueue;
    return fakeProducer({
      enqueue: async (requests) => {
        calls += 1;
        if (calls === 2) throw new UnavailableError('queue', 'the store is unavailable');
        return enqueue(requests);
      },
    });
  };

  it('enqueue ends with 1 and the reason in an outage, and still shows which games are in the queue', async () => {
    const { backend, closed } = half();
    const cli = fakeCli(backend, { stdin: [Array.from({ length: 251 }, (_, n) => `game-${n}`).join('\n')] });
    expect(await cli.run('enqueue', '-', '--json')).toBe(1);
    const { jobs } = cli.json() as { jobs: { state: string; jobId: string | null }[] };
    expect(jobs.filter(({ state }) => state === 'waiting')).toHaveLength(250);
    expect(jobs.at(-1)).toMatchObject({ state: 'not_enqueued', jobId: null });
    expect(JSON.parse(cli.written.stderr)).toMatchObject({ error: { code: 'service_unavailable' } });
    expect(closed.times).toBe(1);
  });
});

describe('enqueue --wait', () => {
  it('enqueue --wait shows the result of each job, and ends with 0 when all completed', async () => {
    const { backend } = producerEnding({ a: completed(), b: completed('replay_no_op') });
    const cli = fakeCli(backend);
    expect(await cli.run('enqueue', 'a', 'b', '--wait')).toBe(0);
    expect(cli.written.stdout).toBe(
      [
        'GAME  JOB  STATE      COALESCED  CODE          REMOVAL  MESSAGE',
        'a     1    completed                           removed',
        'b     2    completed             replay_no_op',
        '',
      ].join('\n'),
    );
    expect(cli.written.stderr).toBe('enqueued 2 of 2\na: completed\nb: completed, replay_no_op\n');
  });

  it('enqueue --wait ends with 1 when a job of the sweep completed without a cleanup', async () => {
    const { backend } = producerEnding({ a: completed('conflict') });
    expect(await fakeCli(backend).run('enqueue', 'a', '--wait')).toBe(1);
  });

  it('enqueue --wait ends with 1 for a dead letter, and shows its code and message', async () => {
    const { backend } = producerEnding({
      a: completed(),
      b: deadLetter('container_mismatch: label names game "x"'),
    });
    const cli = fakeCli(backend);
    expect(await cli.run('enqueue', 'a', 'b', '--wait', '--json')).toBe(1);
    expect(cli.json()).toMatchObject({
      jobs: [
        { gameId: 'a', state: 'completed', code: '' satisfies ErrorCode },
        { gameId: 'b', state: 'failed', code: 'container_mismatch', message: 'label names game "x"' },
      ],
    });
  });

  it('enqueue --wait shows the unchanged reason of a dead letter that another program wrote', async () => {
    const { backend } = producerEnding({ a: deadLetter('job stalled more than allowable limit') });
    const cli = fakeCli(backend);
    expect(await cli.run('enqueue', 'a', '--wait', '--json')).toBe(1);
    expect(cli.json()).toMatchObject({
      jobs: [{ code: 'internal_error', message: 'job stalled more than allowable limit' }],
    });
  });

  it('enqueue --wait ends with 1 when the queue no longer has a job', async () => {
    const { backend, state } = fakeProducer();
    endFakeJobs(state, () => ({ state: 'missing' }));
    const cli = fakeCli(backend);
    expect(await cli.run('enqueue', 'a', '--wait')).toBe(1);
    expect(cli.written.stdout).toContain('see the operation log');
  });

  it('enqueue --wait waits for each job once, even when two requests share one', async () => {
    const { backend, jobWaiter, state } = fakeProducer();
    const { wait: realWait } = jobWaiter;
    const wait = vi.spyOn(jobWaiter, 'wait').mockImplementation((...asked) => {
      const waited = realWait(...asked);
      const job = state.jobs.get('1');
      if (job !== undefined) state.setJob({ ...job, state: 'completed', ending: { ...completed(), jobId: '1' } });
      return waited;
    });
    expect(await fakeCli(backend).run('enqueue', 'a', 'a', '--wait')).toBe(0);
    expect(wait.mock.calls.map(([jobIds]) => jobIds)).toEqual([['1']]);
  });

  it('enqueue --wait ends with 1 at its time limit, and states that the jobs stay', async () => {
    const { backend, closed, state } = producerEnding({ a: completed() });
    const cli = fakeCli(backend);
    const running = cli.run('enqueue', 'a', 'b', '--wait', '30s');
    await cli.clock.advance(29_999);
    expect(cli.written.stdout).toBe('');
    await cli.clock.advance(1);
    expect(await running).toBe(1);
    expect(cli.written.stderr).toContain('The time limit is over; 1 of 2 jobs have not ended. They stay in the queue');
    expect(cli.written.stdout).toMatch(/^b +2 +waiting$/m);
    expect(state.jobs.get('2')?.state).toBe('waiting');
    expect(closed.times).toBe(1);
  });

  it('enqueue --wait ends with 1 on Ctrl-C, and leaves the jobs in the queue', async () => {
    const { backend, closed, state } = fakeProducer();
    const cli = fakeCli(backend);
    const running = cli.run('enqueue', 'a', '--wait');
    await cli.clock.advance(60_000);
    cli.raise('SIGINT');
    expect(await running).toBe(1);
    expect(cli.written.stderr).toContain('Stopped waiting; 1 of 1 jobs have not ended. They stay in the queue');
    expect(state.jobs.get('1')?.state).toBe('waiting');
    expect(closed.times).toBe(1);
    expect(cli.clock.pendingMs()).toEqual([]);
  });

  it('enqueue --wait shows the known results before it reports a broken wait', async () => {
    const { backend } = fakeProducer({ wait: () => Promise.reject(new TypeError('bug')) });
    const cli = fakeCli(backend);
    expect(await cli.run('enqueue', 'a', '--wait')).toBe(1);
    expect(cli.written.stdout).toMatch(/^a +1 +waiting$/m);
    expect(cli.written.stderr).toContain('runtime-cleanup: bug');
  });
});
