import { DelayedError } from 'bullmq';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  createProcessor,
  type Process,
  type ProcessedJob,
} from '../../../../../src/adapters/bullmq/worker/processor.js';
import type { JobCompleter } from '../../../../../src/adapters/bullmq/worker/complete-job.js';
import type { JobConsumer, JobOutcome } from '../../../../../src/jobs/delivery.js';
import { createRecordingReport, type RecordingReport } from '../../../../support/queue/queue-report.js';
import {
  completed,
  type ScriptedConsumer,
  scripted,
  untilAborted,
  abandonedByQueue,
  historyOf,
} from '../../../../support/queue/queue-scripts.js';
import { createManualClock } from '../../../../support/manual-clock.js';

const job = (fields: Partial<ProcessedJob> = {}): ProcessedJob => ({
  id: '7',
  name: 'cleanup_container',
  data: { gameId: 'g' },
  progress: 0,
  attemptsStarted: 3,
  attemptsMade: 0,
  stalledCounter: 1,
  updateProgress: async () => undefined,
  moveToCompleted: async () => undefined,
  moveToDelayed: async () => undefined,
  moveToFailed: async () => undefined,
  moveToWait: async () => 0,
  ...fields,
});

describe('the processor', () => {
  let report: RecordingReport;
  let settled: (JobOutcome | 'handed back')[];
  let refuse: unknown;
  let verdict: string | undefined;
  let told: string[];

  const completer: JobCompleter = {
    complete: async (_job, _token, outcome) => {
      if (refuse !== undefined) throw refuse as Error;
      settled.push(outcome);
      return 'written';
    },
    handBack: async () => {
      settled.push('handed back');
      return 'written';
    },
  };
  const processorFor = (consumer: ScriptedConsumer | JobConsumer): Process =>
    createProcessor({
      consumer,
      completer,
      clock: createManualClock(),
      report,
      verdictOf: () => verdict,
      abandoned: async (delivery, reason) => {
        told.push(`${delivery.jobId}: ${reason}`);
        if (reason.includes('unlucky')) throw new Error('no database');
        return abandonedByQueue(delivery, reason);
      },
    });

  beforeEach(() => {
    report = createRecordingReport();
    settled = [];
    told = [];
    refuse = undefined;
    verdict = undefined;
  });

  it('declares three parameters, or BullMQ would make no signal', () => {
    expect(processorFor(scripted())).toHaveLength(3);
  });

  it('hands the job’s facts over, settles, and tells BullMQ that nothing is left to write', async () => {
    const consumer = scripted();
    const done = processorFor(consumer)(job(), 'token', new AbortController().signal);
    await expect(done).rejects.toBeInstanceOf(DelayedError);
    expect(consumer.deliveries).toEqual([
      { jobId: '7', jobName: 'cleanup_container', payload: { gameId: 'g' }, run: 3, crashes: 1, history: 0 },
    ]);
    expect(settled).toEqual([completed()]);
  });

  it.each([
    [3e9, 2 ** 31 - 1],
    [2.5, 2],
    [Number.NaN, 0],
    [-7, 0],
  ])('hands on a stored run count of %d as %d, which the operation log can hold', async (stored, run) => {
    const consumer = scripted();
    const done = processorFor(consumer)(job({ attemptsStarted: stored }), 'token', new AbortController().signal);
    await expect(done).rejects.toBeInstanceOf(DelayedError);
    expect(consumer.deliveries).toMatchObject([{ run }]);
  });

  it('hands the job back when the worker shuts down', async () => {
    const bull = new AbortController();
    const done = processorFor(scripted((_delivery, signal) => untilAborted(signal)))(job(), 'token', bull.signal);
    bull.abort('shutdown');
    await expect(done).rejects.toBeInstanceOf(DelayedError);
    expect(settled).toEqual(['handed back']);
  });

  it('hands a job back that its consumer did not touch', async () => {
    const consumer: JobConsumer = { consume: async () => ({ action: 'hand_back' }) };
    const done = processorFor(consumer)(job(), 'token', new AbortController().signal);
    await expect(done).rejects.toBeInstanceOf(DelayedError);
    expect(settled).toEqual(['handed back']);
  });

  it.each(['lock lost', undefined])('writes nothing when the job’s lock was lost (%s)', async (reason) => {
    const bull = new AbortController();
    const done = processorFor(scripted((_delivery, signal) => untilAborted(signal)))(job(), 'token', bull.signal);
    bull.abort(reason);
    await expect(done).rejects.toBeInstanceOf(DelayedError);
    expect(settled).toEqual([]);
    expect(report.lines).toEqual(['lockLost: 7']);
  });

  it('settles work that ended although it was told to stop', async () => {
    const bull = new AbortController();
    const consumer = scripted(async () => {
      bull.abort('shutdown');
      return completed();
    });
    await expect(processorFor(consumer)(job(), 'token', bull.signal)).rejects.toBeInstanceOf(DelayedError);
    expect(settled).toEqual([completed()]);
  });

  it('hands the job back when its settlement could not be written before the end', async () => {
    const bull = new AbortController();
    refuse = new Error('Connection terminated');
    const consumer = scripted(async () => {
      bull.abort('shutdown');
      return completed();
    });
    await expect(processorFor(consumer)(job(), 'token', bull.signal)).rejects.toBeInstanceOf(DelayedError);
    expect(settled).toEqual(['handed back']);
  });

  it('leaves a job whose consumer broke to BullMQ’s retry, with storable text', async () => {
    const consumer = scripted(() => Promise.reject(new Error('a bug \0')));
    const done = processorFor(consumer)(job(), 'token', new AbortController().signal);
    await expect(done).rejects.toThrow('a bug ');
    await expect(done).rejects.not.toBeInstanceOf(DelayedError);
    expect(report.of('fault')).toHaveLength(1);
  });

  it('tells the first run of a job that a second one has begun in the same worker', async () => {
    const consumer = scripted(({ run }, signal) => (run === 1 ? untilAborted(signal) : completed()));
    const processor = processorFor(consumer);
    const first = processor(job({ attemptsStarted: 1 }), 'old', new AbortController().signal);
    const second = processor(job({ attemptsStarted: 2 }), 'new', new AbortController().signal);
    await expect(first).rejects.toBeInstanceOf(DelayedError);
    await expect(second).rejects.toBeInstanceOf(DelayedError);
    expect(settled).toEqual([completed()]);
    expect(report.lines).toEqual(['lockLost: 7']);
  });

  it.each(['child 3 failed', 'an unlucky end'])(
    'buries a job that BullMQ gave up (%s), after telling',
    async (reason) => {
      verdict = reason;
      const consumer = scripted();
      const done = processorFor(consumer)(job(), 'token', new AbortController().signal);
      await expect(done).rejects.toBeInstanceOf(DelayedError);
      expect(consumer.deliveries).toEqual([]);
      expect(told).toEqual([`7: ${reason}`]);
      expect(settled).toMatchObject([
        { action: 'dead_letter', reason: `internal_error: the queue gave the job up: ${reason}` },
      ]);
    },
  );

  it('keeps the history of a job whose end could not be recorded, and its death, so that a replay begins anew', async () => {
    verdict = 'an unlucky end';
    const done = processorFor(scripted())(job({ progress: historyOf(2) }), 'token', new AbortController().signal);
    await expect(done).rejects.toBeInstanceOf(DelayedError);
    const reason = 'internal_error: the queue gave the job up: an unlucky end';
    const death = { reason, at: '2026-01-01T00:00:00.000Z', crashes: 1 };
    expect(settled).toEqual([{ action: 'dead_letter', reason, history: { ...historyOf(2), death } }]);
  });
});
