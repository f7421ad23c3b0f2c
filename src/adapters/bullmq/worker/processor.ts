/** From a claimed job to its stored outcome: the one function that BullMQ calls for each job. */
import type { Clock } from '../../../async/clock.js';
import { messageOf, InterruptedError, type Interruption, BugError } from '../../../domain/errors.js';
import type { Delivery, JobConsumer, JobOutcome } from '../../../jobs/delivery.js';
import { readHistory, sinceReplay } from '../../../jobs/attempt-history.js';
import { withStepEvents } from '../../../async/step-events.js';
import { bullmq } from '../library.js';
import type { QueueReport } from '../store/queue-store.js';
import { isTransient } from '../store/store-errors.js';
import { storableError } from '../store/stored-text.js';
import type { HeldJob, JobCompleter, Written } from './complete-job.js';
import { LOCK_LOST, SHUTDOWN } from './queue-worker.js';

export interface ProcessedJob extends HeldJob {
  readonly name: string;
  readonly data: unknown;
  readonly progress: unknown;
  readonly attemptsStarted: number;
  /** How often BullMQ itself recorded a failed attempt: the consumer threw, or the store refused the outcome. */
  readonly attemptsMade: number;
  readonly stalledCounter: number;
}

/** A job that fails this often without an outage would fail for ever, so it becomes a dead letter. */
const MAX_FAILED_COMPLETIONS = 3;

interface Deps {
  readonly consumer: JobConsumer;
  readonly completer: JobCompleter;
  readonly clock: Clock;
  readonly report: QueueReport;
  /** Why BullMQ would have failed this job without running it; undefined for nearly all. */
  readonly verdictOf: (job: object) => string | undefined;
  /** Decides on a job that BullMQ abandoned. */
  readonly abandoned: (delivery: Delivery, reason: string) => Promise<JobOutcome>;
}

/** Three declared parameters: BullMQ counts them and creates no signal for fewer. Never resolves. */
export type Process = (job: ProcessedJob, token: string | undefined, signal: AbortSignal | undefined) => Promise<never>;

/** A job that this worker has claimed. */
interface Claim {
  readonly job: ProcessedJob;
  readonly token: string;
  /** Aborted with an `InterruptedError`. */
  readonly signal: AbortSignal;
}

export function createProcessor(deps: Deps): Process {
  const { consumer, completer, report } = deps;
  const { DelayedError } = bullmq();
  const withOwnSignal = createRunSignals();

  async function process(
    job: ProcessedJob,
    token: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<never> {
    if (token === undefined || signal === undefined)
      throw new BugError('BullMQ gave the processor no token or no signal');
    await withOwnSignal(job.id ?? '', signal, (own) =>
      withStepEvents('job run', { 'job.id': job.id, 'job.data': job.data }, () => run({ job, token, signal: own })),
    );
    // With this error a processor tells BullMQ that it has moved the job itself; BullMQ then writes nothing.
    throw new DelayedError();
  }

  async function run(claim: Claim): Promise<Written> {
    const { job, token, signal } = claim;
    try {
      const delivery = deliveryOf(job);
      const verdict = deps.verdictOf(job);
      if (verdict !== undefined) return await deadLetter(claim, delivery, verdict);
      const outcome = await consumer.consume(delivery, signal);
      if (outcome.action === 'hand_back') return await completer.handBack(job, token);
      return await completer.complete(job, token, outcome, signal);
    } catch (error) {
      return afterError(claim, error);
    }
  }

  async function afterError(claim: Claim, error: unknown): Promise<Written> {
    const { job, token, signal } = claim;
    if (signal.aborted && interruptionOf(signal) === SHUTDOWN) return completer.handBack(job, token);
    if (signal.aborted) {
      report.lockLost(job.id ?? '');
      return 'lost';
    }
    report.fault(`job ${job.id ?? '?'} could not be completed`, error);
    if (job.attemptsMade + 1 >= MAX_FAILED_COMPLETIONS && !isTransient(error)) {
      return deadLetter(claim, deliveryOf(job), `it could not be completed: ${messageOf(error)}`);
    }
    // BullMQ retries the job a little later.
    throw storableError(error);
  }

  async function deadLetter({ job, token, signal }: Claim, delivery: Delivery, verdict: string): Promise<Written> {
    return completer.complete(job, token, await decideAbandoned(deps, delivery, verdict), signal);
  }

  return process;
}

/** The job becomes a dead letter even when its failed operation cannot be recorded. */
async function decideAbandoned(
  { abandoned, report, clock }: Pick<Deps, 'abandoned' | 'report' | 'clock'>,
  delivery: Delivery,
  verdict: string,
): Promise<JobOutcome> {
  try {
    return await abandoned(delivery, verdict);
  } catch (error) {
    report.fault(`the failure of job ${delivery.jobId} could not be recorded`, error);
    const reason = `internal_error: the queue gave the job up: ${verdict}`;
    // `death` is the name in stored jobs and in the CLI's JSON, so it stays although the code says "dead letter".
    const death = { reason, at: clock.now().toISOString(), crashes: delivery.crashes };
    const history = { ...sinceReplay(readHistory(delivery.history), delivery.crashes), death };
    return { action: 'dead_letter', reason, history };
  }
}

/**
 * Gives each run of a job a signal of its own. A worker that lost a job's lock may claim the same job again while the first
 * run goes on. BullMQ then forgets the first run and would never abort it, so the second run does.
 */
function createRunSignals() {
  const running = new Map<string, AbortController>();
  return async (jobId: string, signal: AbortSignal, work: (own: AbortSignal) => Promise<unknown>): Promise<void> => {
    running.get(jobId)?.abort(new InterruptedError(LOCK_LOST));
    const own = withReason(signal);
    running.set(jobId, own);
    try {
      await work(own.signal);
    } finally {
      if (running.get(jobId) === own) running.delete(jobId);
    }
  };
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

/** Any client may write the counters of a stored job; the operation log keeps them in an `integer` column. */
const countOf = (stored: number): number =>
  Number.isFinite(stored) ? Math.min(Math.max(0, Math.trunc(stored)), INTEGER_MAX) : 0;

/** BullMQ aborts with the text that the worker gave it; the consumer's signal is aborted with an error. */
function withReason(signal: AbortSignal): AbortController {
  const own = new AbortController();
  const abort = (): void => own.abort(new InterruptedError(signal.reason === SHUTDOWN ? SHUTDOWN : LOCK_LOST));
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  return own;
}

const interruptionOf = (signal: AbortSignal): Interruption =>
  signal.reason instanceof InterruptedError ? signal.reason.interruption : LOCK_LOST;

/** BullMQ's verdicts on jobs that started or stalled too often; in this program the consumer decides on those, by their counts. */
export function isCountVerdict(reason: string): boolean {
  return /^job (?:stalled|started) more than allowable limit/.test(reason);
}
