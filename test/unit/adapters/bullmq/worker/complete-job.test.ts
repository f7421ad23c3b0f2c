import { beforeEach, describe, expect, it } from 'vitest';
import {
  createJobCompleter,
  type HeldJob,
  type JobCompleter,
  wholeDelayMs,
} from '../../../../../src/adapters/bullmq/worker/complete-job.js';
import { resultToJson } from '../../../../../src/domain/result.js';
import { completed, deadLetter, historyOf, retryAfter, success } from '../../../../support/queue/queue-scripts.js';
import { createManualClock, type ManualClock } from '../../../../support/manual-clock.js';

const coded = (code: unknown) => Object.assign(new Error(`code ${String(code)}`), { code });

/** A job that records the writes to it; the first writes fail with the given errors. */
const scriptedJob = (failures: unknown[] = []) => {
  const writes: unknown[][] = [];
  const write =
    (name: string) =>
    async (...args: unknown[]): Promise<never> => {
      writes.push([name, ...args]);
      if (failures.length > 0) {
        const failure = failures.shift();
        if (failure !== undefined) throw failure as Error;
      }
      return undefined as never;
    };
  const job: HeldJob = {
    id: '7',
    updateProgress: write('updateProgress'),
    moveToCompleted: write('moveToCompleted'),
    moveToDelayed: write('moveToDelayed'),
    moveToFailed: write('moveToFailed'),
    moveToWait: write('moveToWait'),
  };
  return { job, writes, names: () => writes.map(([name]) => name) };
};

describe('the job completer', () => {
  let clock: ManualClock;
  let completer: JobCompleter;
  const quiet = new AbortController().signal;

  beforeEach(() => {
    clock = createManualClock();
    completer = createJobCompleter({ clock });
  });

  it('a completed job is written without claiming the next one', async () => {
    const { job, writes } = scriptedJob();
    expect(await completer.complete(job, 'token', completed('g'), quiet)).toBe('written');
    expect(writes).toEqual([['moveToCompleted', resultToJson(success('g')), 'token', false]]);
  });

  it('twenty jobs are returned to the queue in one outage without a listener warning', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error): void => void warnings.push(warning);
    process.on('warning', note);
    for (let i = 0; i < 20; i++) void completer.handBack(scriptedJob([coded('ECONNREFUSED')]).job, 'token');
    // Warnings are emitted on the next tick after the listener that is one too many.
    await clock.advance(0);
    await clock.advance(0);
    process.off('warning', note);
    expect(clock.pendingMs()).toHaveLength(20);
    expect(warnings).toEqual([]);
  });

  it('a retried job is delayed by whole milliseconds, after its history is stored', async () => {
    const { job, writes } = scriptedJob();
    await completer.complete(job, 'token', retryAfter(1_500.6, historyOf(2, 'a\0b')), quiet);
    expect(writes).toEqual([
      ['updateProgress', historyOf(2, 'ab')],
      ['moveToDelayed', clock.now().getTime() + 1_501, 'token'],
    ]);
  });

  it('a dead letter is written with its reason only, after its history is stored', async () => {
    const { job, writes, names } = scriptedJob();
    await completer.complete(job, 'token', deadLetter('not_found: no\0 record'), quiet);
    expect(names()).toEqual(['updateProgress', 'moveToFailed']);
    expect(writes[1]?.[1]).toMatchObject({ name: 'UnrecoverableError', message: 'not_found: no record', stack: '' });
    expect(writes[1]?.slice(2)).toEqual(['token', false]);
  });

  it('a write is repeated with growing pauses while the store is unavailable', async () => {
    const { job, names } = scriptedJob(['ECONNREFUSED', '57P01', '40P01', '57014', '53300', 'ECONNRESET'].map(coded));
    const settled = completer.complete(job, 'token', completed(), quiet);
    await clock.advance(100 + 200 + 400 + 800 + 1_600);
    expect(names()).toHaveLength(6);
    await clock.advance(2_000);
    expect(await settled).toBe('written');
    expect(names()).toHaveLength(7);
  });

  it.each([-1, -2, -3, -6])('a job is lost when the store answers %d', async (code) => {
    const { job } = scriptedJob([coded(code)]);
    expect(await completer.complete(job, 'token', completed(), quiet)).toBe('lost');
  });

  it('a job is lost when a repeated write finds an existing outcome', async () => {
    const { job } = scriptedJob([new Error('Connection terminated unexpectedly'), coded(-3)]);
    const settled = completer.complete(job, 'token', completed(), quiet);
    await clock.advance(100);
    expect(await settled).toBe('lost');
  });

  it('a job that is missing when its history is written is not moved', async () => {
    const { job, names } = scriptedJob([coded(-1)]);
    expect(await completer.complete(job, 'token', retryAfter(5), quiet)).toBe('lost');
    expect(names()).toEqual(['updateProgress']);
  });

  it('a permanent error is passed on without a retry', async () => {
    const { job, names } = scriptedJob([coded('22P05')]);
    await expect(completer.complete(job, 'token', completed(), quiet)).rejects.toThrow('code 22P05');
    expect(names()).toHaveLength(1);
  });

  it('the retries of a write end when the signal is aborted', async () => {
    const over = new AbortController();
    const { job, names } = scriptedJob([coded('ECONNREFUSED'), coded('ECONNREFUSED'), coded('ECONNREFUSED')]);
    const settled = completer.complete(job, 'token', completed(), over.signal);
    await clock.advance(0);
    over.abort();
    await expect(settled).rejects.toThrow('ECONNREFUSED');
    expect(names()).toHaveLength(2);
    expect(clock.pendingMs()).toEqual([]);
  });

  it('a job returned to the queue waits again, and that write is retried too', async () => {
    const { job, writes } = scriptedJob([coded('ECONNREFUSED')]);
    const handed = completer.handBack(job, 'token');
    await clock.advance(100);
    expect(await handed).toBe('written');
    expect(writes).toEqual([
      ['moveToWait', 'token'],
      ['moveToWait', 'token'],
    ]);
  });

  it.each([
    [0, 0],
    [0.4, 0],
    [99.5, 100],
    [-5, 0],
    [Number.NaN, 1_000],
    [Number.POSITIVE_INFINITY, 1_000],
  ])('a delay of %d becomes the whole delay %d', (delayMs, expected) => {
    expect(wholeDelayMs(delayMs)).toBe(expected);
  });
});
