/** From a delivery to its outcome: read the payload, run the cleanup, ask the retry policy. Knows no queue. */
import type { CleanupService } from '../cleanup/cleanup-service.js';
import type { Held } from '../cleanup/ports.js';
import type { Clock } from '../async/clock.js';
import type { CleanupCommand } from '../domain/operation.js';
import type { Failure } from '../domain/result.js';
import type { AttemptHistory, Delivery, JobConsumer, JobOutcome } from './delivery.js';
import { crashesSinceReplay, readHistory, sinceReplay, withFailure } from './attempt-history.js';
import { readPayload } from './payload.js';
import { type RetryLimits, spread, verdictFor } from './retry-policy.js';
import { writeReason } from './failure-reason.js';

/** A job whose worker vanished this often counts as the cause, and becomes a dead letter. */
const MAX_CRASHES = 10;

interface Deps {
  readonly cleanup: CleanupService;
  readonly clock: Clock;
  /** A number in [0, 1); spreads retries. */
  readonly random: () => number;
  /** The current trace's id, or the empty string. */
  readonly traceId: () => string;
}

interface FullJobConsumer extends JobConsumer {
  readonly consume: (delivery: Delivery, signal: AbortSignal) => Promise<JobOutcome>;
  /** Ends a job that the queue itself gave up, and writes its row, so that no job ends without a row. */
  readonly abandoned: (delivery: Delivery, reason: string) => Promise<JobOutcome>;
}

/** A delivery whose history has been read. */
interface Try {
  readonly delivery: Delivery;
  readonly history: AttemptHistory;
}

const tryOf = (delivery: Delivery): Try => ({
  delivery,
  history: sinceReplay(readHistory(delivery.history), delivery.crashes),
});

export function createJobConsumer({ cleanup, clock, random, traceId }: Deps, limits: RetryLimits): FullJobConsumer {
  async function consume(delivery: Delivery, signal: AbortSignal): Promise<JobOutcome> {
    const read = readPayload(delivery);
    const current = tryOf(delivery);
    const crashes = crashesSinceReplay(current.history, delivery.crashes);
    if (crashes >= MAX_CRASHES) {
      // A job that kills its worker must end, too; its cleanup is not tried again.
      return giveUp(current, `the worker vanished ${crashes} times while it ran this job; it is not tried again`);
    }
    const result = read.valid
      ? await cleanup.handle(read.command, signal)
      : await cleanup.refuse(read.command, 'invalid_request', read.problem);
    switch (result.outcome) {
      case 'success':
        return { action: 'complete', result };
      case 'failure':
        return outcomeOf(current, read.command, result);
      case 'held':
        return holdBack(current, read.command, result);
    }
  }

  /**
   * The first time a job is held, its row says why; after that it comes back without a trace, so that an outage of hours
   * burns no attempts and fills no log.
   */
  async function holdBack(current: Try, command: CleanupCommand, held: Held): Promise<JobOutcome> {
    const delayMs = spread(held.retryInMs, random());
    const isKnown = current.history.attempts.at(-1)?.code === held.errorCode;
    if (isKnown || held.firstRow === 'none') return { action: 'hold', delayMs };
    const outcome = outcomeOf(current, command, await cleanup.refuse(command, held.errorCode, held.errorMessage));
    return outcome.action === 'retry' ? { ...outcome, delayMs } : outcome;
  }

  async function giveUp(current: Try, message: string): Promise<JobOutcome> {
    const refused = await cleanup.refuse(readPayload(current.delivery).command, 'internal_error', message);
    return deadLetter(current, refused, extend(current, refused), clock);
  }

  function outcomeOf(current: Try, command: CleanupCommand, failed: Failure): JobOutcome {
    const history = extend(current, failed);
    const attempt = {
      count: history.counts[failed.errorCode] ?? 1,
      ageMs: Math.max(0, clock.now().getTime() - Date.parse(history.firstFailedAt ?? clock.now().toISOString())),
      fromSweep: command.opSource === 'auto_ttl',
      random: random(),
    };
    const verdict = verdictFor(failed.errorCode, attempt, limits);
    switch (verdict.action) {
      case 'complete':
        return { action: 'complete', result: failed };
      case 'retry':
        return { action: 'retry', delayMs: verdict.delayMs, history };
      case 'dead_letter':
        return deadLetter(current, failed, history, clock);
    }
  }

  function extend({ delivery, history }: Try, { errorCode, errorMessage }: Failure): AttemptHistory {
    return withFailure(history, {
      attempt: delivery.run,
      code: errorCode,
      message: errorMessage,
      at: clock.now().toISOString(),
      traceId: traceId(),
    });
  }

  return { consume, abandoned: (delivery, reason) => giveUp(tryOf(delivery), `the queue gave the job up: ${reason}`) };
}

function deadLetter({ delivery }: Try, failed: Failure, history: AttemptHistory, clock: Clock): JobOutcome {
  const reason = writeReason({ code: failed.errorCode, message: failed.errorMessage });
  const death = { reason, at: clock.now().toISOString(), crashes: delivery.crashes };
  return { action: 'dead_letter', reason, history: { ...history, death } };
}
