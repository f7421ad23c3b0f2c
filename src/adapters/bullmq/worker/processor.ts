/** From a claimed job to its settlement: the one function BullMQ calls for each job. */
import { DelayedError } from 'bullmq';
import type { Clock } from '../../../async/clock.js';
import { messageOf, InterruptedError, type Interruption, BugError } from '../../../domain/errors.js';
import type { Delivery, JobConsumer, JobOutcome } from '../../../jobs/delivery.js';
import { readHistory, sinceReplay } from '../../../jobs/attempt-history.js';
import { withStepEvents } from '../../../async/step-events.js';
import type { QueueReport } from '../store/queue-report.js';
import type { HeldJob, JobCompleter, Written } from './complete-job.js';
import { isPassing } from '../store/store-errors.js';
import { storableError } from '../store/stored-text.js';

/** What the worker tells BullMQ to abort a job with. */
export const SHUTDOWN: Interruption = 'shutdown';
export const LOCK_LOST: Interruption = 'lock lost';

export interface ProcessedJob extends HeldJob {
  readonly name: string;
  readonly data: unknown;
  readonly progress: unknown;
  readonly attemptsStarted: number;
  /** How often BullMQ itself recorded a failed attempt: a consumer that broke, a settlement the store refused. */
  readonly attemptsMade: number;
  readonly stalledCounter: number;
}

/** What fails so often with no outage to blame fails for ever. */
const MAX_UNSETTLED = 3;

interface Deps {
  readonly consumer: JobConsumer;
  readonly settler: JobCompleter;
  readonly clock: Clock;
  readonly report: QueueReport;
  /** Why BullMQ would have failed this job without running it; undefined for nearly all. */
  readonly verdictOf: (job: object) => string | undefined;
  /** Ends a job that BullMQ gave up. */
  readonly gaveUp: (delivery: Delivery, reason: string) => Promise<JobOutcome>;
}

/** Three declared parameters: BullMQ counts them and makes no signal for fewer. Never resolves. */
export type Process = (job: ProcessedJob, token: string | undefined, signal: AbortSignal | undefined) => Promise<never>;

export function createProcessor({ consumer, settler, clock, report, verdictOf, gaveUp }: Deps): Process {
  const running = new Map<string, AbortController>();

  async function process(
    job: ProcessedJob,
    token: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<never> {
    if (token === undefined || signal === undefined)
      throw new BugError('BullMQ gave the processor no token or no signal');
    const runs = (own: AbortSignal): Promise<Written> =>
      withStepEvents('job run', { 'job.id': job.id, 'job.data': job.data }, () => run(job, token, own));
    await exclusively(job, signal, runs);
    // The word by which a processor tells BullMQ that it has moved the job itself; BullMQ then writes nothing.
    throw new DelayedError();
  }

  /**
   * A worker that lost a job's lock may claim the same job again while its first run goes on; BullMQ then forgets the
   * first run, which would never be told.
   */
  async function exclusively(
    { id = '' }: ProcessedJob,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<Written>,
  ): Promise<void> {
    running.get(id)?.abort(new InterruptedError(LOCK_LOST));
    const own = withReason(signal);
    running.set(id, own);
    try {
      await work(own.signal);
    } finally {
      if (running.get(id) === own) running.delete(id);
    }
  }

  async function run(job: ProcessedJob, token: string, signal: AbortSignal): Promise<Written> {
    try {
      const delivery = deliveryOf(job);
      const reason = verdictOf(job);
      if (reason !== undefined) return await bury(job, token, delivery, reason, signal);
      const settlement = await consumer.consume(delivery, signal);
      if (settlement.action === 'hand_back') return await settler.handBack(job, token);
      return await settler.settle(job, token, settlement, signal);
    } catch (error) {
      if (signal.aborted && interrupted(signal) === SHUTDOWN) return settler.handBack(job, token);
      if (signal.aborted) {
        report.lockLost(job.id ?? '');
        return 'lost';
      }
      report.fault(`job ${job.id ?? '?'} could not be settled`, error);
      if (job.attemptsMade + 1 >= MAX_UNSETTLED && !isPassing(error)) {
        return bury(job, token, deliveryOf(job), `it could not be settled: ${messageOf(error)}`, signal);
      }
      // BullMQ retries it a little later.
      throw storableError(error);
    }
  }

  async function bury(
    job: ProcessedJob,
    token: string,
    delivery: Delivery,
    verdict: string,
    signal: AbortSignal,
  ): Promise<Written> {
    return settler.settle(job, token, await burial(delivery, verdict), signal);
  }

  /** Should its end not even be recorded, the job ends all the same. */
  async function burial(delivery: Delivery, verdict: string): Promise<JobOutcome> {
    try {
      return await gaveUp(delivery, verdict);
    } catch (error) {
      report.fault(`the end of job ${delivery.jobId} could not be recorded`, error);
      const reason = `internal_error: the queue gave the job up: ${verdict}`;
      const death = { reason, at: clock.now().toISOString(), crashes: delivery.crashes };
      const history = { ...sinceReplay(readHistory(delivery.history), delivery.crashes), death };
      return { action: 'dead_letter', reason, history };
    }
  }

  return process;
}

/** The facts of a job, for a consumer. */
function deliveryOf(job: ProcessedJob): Delivery {
  return {
    jobId: job.id ?? '',
    jobName: job.name,
    payload: job.data,
    run: countOf(job.attemptsStarted),
    crashes: countOf(job.stalledCounter),
    history: job.progress,
  };
}

const INTEGER_MAX = 2 ** 31 - 1;

/** Counters stand in the job too, for any client to write; the operation log keeps them in an `integer`. */
const countOf = (stored: number): number =>
  Number.isFinite(stored) ? Math.min(Math.max(0, Math.trunc(stored)), INTEGER_MAX) : 0;

/** BullMQ aborts with the plain text it was given; work is told with an error. */
function withReason(signal: AbortSignal): AbortController {
  const own = new AbortController();
  const abort = (): void => own.abort(new InterruptedError(signal.reason === SHUTDOWN ? SHUTDOWN : LOCK_LOST));
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  return own;
}

const interrupted = (signal: AbortSignal): Interruption =>
  signal.reason instanceof InterruptedError ? signal.reason.interruption : LOCK_LOST;

/** BullMQ's own verdicts on jobs that started or stalled too often; here the consumer decides on those, by their counts. */
export function isCountVerdict(reason: string): boolean {
  return /^job (?:stalled|started) more than allowable limit/.test(reason);
}
