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
  let outcomes: (JobOutcome | 'handed back')[];
  let refuse: unknown;
  let verdict: string | undefined;
  let recorded: string[];

  const completer: JobCompleter = {
    complete: async (_job, _token, outcome) => {
      if (refuse !== undefined) throw refuse as Error;
      outcomes.push(outcome);
      return 'written';
    },
    handBack: async () => {
      outcomes.push('handed back');
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
        recorded.push(`${delivery.jobId}: ${reason}`);
        if (reason.includes('unlucky')) throw new Error('no database');
        return abandonedByQueue(delivery, reason);
      },
    });

  beforeEach(() => {
    report = createRecordingReport();
    outcomes = [];
    recorded = [];
    refuse = undefined;
    verdict = undefined;
  });

  it('the processor declares three parameters, because BullMQ creates no signal for fewer', () => {
    expect(processorFor(scripted())).toHaveLength(3);
  });

  it('a consumer gets the facts of its job, its outcome is written, and BullMQ writes nothing', async () => {
    const consumer = scripted();
    const done = processorFor(consumer)(job(), 'token', new AbortController().signal);
    await expect(done).rejects.toBeInstanceOf(DelayedError);
    expect(consumer.deliveries).toEqual([
      { jobId: '7', jobName: 'cleanup_container', payload: { gameId: 'g' }, run: 3, crashes: 1, history: 0 },
    ]);
    expect(outcomes).toEqual([completed()]);
  });

  it.each([
    [3e9, 2 ** 31 - 1],
    [2.5, 2],
    [Number.NaN, 0],
    [-7, 0],
  ])('a stored run count of %d is passed on as %d, which fits the operation log', async (stored, run) => {
    const consumer = scripted();
    const done = processorFor(consumer)(job({ attemptsStarted: stored }), 'token', new AbortController().signal);
    await expect(done).rejects.toBeInstanceOf(DelayedError);
    expect(consumer.deliveries).toMatchObject([{ run }]);
  });

  it('a job is returned to the queue when the worker shuts down', async () => {
    const bull = new AbortController();
    const done = processorFor(scripted((_delivery, signal) => untilAborted(signal)))(job(), 'token', bull.signal);
    bull.abort('shutdown');
    await expect(done).rejects.toBeInstanceOf(DelayedError);
    expect(outcomes).toEqual(['handed back']);
  });

  it('a job is returned to the queue when its consumer did not start it', async () => {
    const consumer: JobConsumer = { consume: async () => ({ action: 'hand_back' }) };
    const done = processorFor(consumer)(job(), 'token', new AbortController().signal);
    await expect(done).rejects.toBeInstanceOf(DelayedError);
    expect(outcomes).toEqual(['handed back']);
  });

  it.each(['lock lost', undefined])('nothing is written when the lock of a job was lost (%s)', async (reason) => {
    const bull = new AbortController();
    const done = processorFor(scripted((_delivery, signal) => untilAborted(signal)))(job(), 'token', bull.signal);
    bull.abort(reason);
    await expect(done).rejects.toBeInstanceOf(DelayedError);
    expect(outcomes).toEqual([]);
    expect(report.lines).toEqual(['lockLost: 7']);
  });

  it('the outcome of aborted work that still finished is written', async () => {
    const bull = new AbortController();
    const consumer = scripted(async () => {
      bull.abort('shutdown');
      return completed();
    });
    await expect(processorFor(consumer)(job(), 'token', bull.signal)).rejects.toBeInstanceOf(DelayedError);
    expect(outcomes).toEqual([completed()]);
  });

  it('a job is returned to the queue when its outcome cannot be written before the shutdown', async () => {
    const bull = new AbortController();
    refuse = new Error('Connection terminated');
    const consumer = scripted(async () => {
      bull.abort('shutdown');
      return completed();
    });
    await expect(processorFor(consumer)(job(), 'token', bull.signal)).rejects.toBeInstanceOf(DelayedError);
    expect(outcomes).toEqual(['handed back']);
  });

  it('a job whose consumer throws is left to the retry of BullMQ, with storable text', async () => {
    const consumer = scripted(() => Promise.reject(new Error('a bug \0')));
    const done = processorFor(consumer)(job(), 'token', new AbortController().signal);
    await expect(done).rejects.toThrow('a bug ');
    await expect(done).rejects.not.toBeInstanceOf(DelayedError);
    expect(report.of('fault')).toHaveLength(1);
  });

  it('the first run of a job is aborted when a second run starts in the same worker', async () => {
    const consumer = scripted(({ run }, signal) => (run === 1 ? untilAborted(signal) : completed()));
    const processor = processorFor(consumer);
    const first = processor(job({ attemptsStarted: 1 }), 'old', new AbortController().signal);
    const second = processor(job({ attemptsStarted: 2 }), 'new', new AbortController().signal);
    await expect(first).rejects.toBeInstanceOf(DelayedError);
    await expect(second).rejects.toBeInstanceOf(DelayedError);
    expect(outcomes).toEqual([completed()]);
    expect(report.lines).toEqual(['lockLost: 7']);
  });

  it.each(['child 3 failed', 'an unlucky end'])(
    'a job that BullMQ abandoned (%s) becomes a dead letter after its failure is recorded',
    async (reason) => {
      verdict = reason;
      const consumer = scripted();
      const done = processorFor(consumer)(job(), 'token', new AbortController().signal);
      await expect(done).rejects.toBeInstanceOf(DelayedError);
      expect(consumer.deliveries).toEqual([]);
      expect(recorded).toEqual([`7: ${reason}`]);
      expect(outcomes).toMatchObject([
        { action: 'dead_letter', reason: `internal_error: the queue gave the job up: ${reason}` },
      ]);
    },
  );

  it('a dead letter whose failure cannot be recorded keeps its history and the field death for a replay', async () => {
    verdict = 'an unlucky end';
    const done = processorFor(scripted())(job({ progress: historyOf(2) }), 'token', new AbortController().signal);
    await expect(done).rejects.toBeInstanceOf(DelayedError);
    const reason = 'internal_error: the queue gave the job up: an unlucky end';
    const death = { reason, at: '2026-01-01T00:00:00.000Z', crashes: 1 };
    expect(outcomes).toEqual([{ action: 'dead_letter', reason, history: { ...historyOf(2), death } }]);
  });
});
