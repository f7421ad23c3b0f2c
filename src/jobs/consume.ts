/** From a delivery to its settlement: read the payload, run the cleanup, ask the policy. Knows no queue. */
import type { CleanupService } from '../cleanup/cleanup-service.js';
import type { Clock } from '../clock.js';
import type { FailureCode } from '../domain/error-codes.js';
import type { CleanupCommand } from '../domain/operation.js';
import type { Failure } from '../domain/result.js';
import { storable } from '../domain/text.js';
import type { AttemptHistory, Delivery, JobConsumer, Settlement } from './delivery.js';
import { readHistory, withFailure } from './history.js';
import { readPayload } from './payload.js';
import { type RetryLimits, verdictFor } from './policy.js';

/** A job whose worker died this often is taken for the cause and becomes a dead letter. */
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
  /** Leaves the row of a job that the queue itself gave up, so that no job ends without one. */
  readonly gaveUp: (delivery: Delivery, reason: string) => Promise<void>;
}

export function createJobConsumer({ cleanup, clock, random, traceId }: Deps, limits: RetryLimits): FullJobConsumer {
  async function consume(delivery: Delivery, signal: AbortSignal): Promise<Settlement> {
    const read = readPayload(delivery);
    if (delivery.crashes >= MAX_CRASHES) return giveUp(delivery, read.command);
    const result = read.valid
      ? await cleanup.handle(read.command, signal)
      : await cleanup.refuse(read.command, 'invalid_request', read.problem);
    return result.outcome === 'success' ? { action: 'complete', result } : settle(delivery, read.command, result);
  }

  /** A job that takes its worker down with it must end too; the cleanup is not even tried. */
  async function giveUp(delivery: Delivery, command: CleanupCommand): Promise<Settlement> {
    const message = `the worker vanished ${delivery.crashes} times while it ran this job; it is not tried again`;
    const refused = await cleanup.refuse(command, 'internal_error', message);
    return deadLetter(refused, extend(delivery, refused));
  }

  function settle(delivery: Delivery, command: CleanupCommand, failed: Failure): Settlement {
    const history = extend(delivery, failed);
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
        return deadLetter(failed, history);
    }
  }

  function extend(delivery: Delivery, { errorCode, errorMessage }: Failure): AttemptHistory {
    return withFailure(readHistory(delivery.history), {
      attempt: delivery.run,
      code: errorCode,
      message: errorMessage,
      at: clock.now().toISOString(),
      traceId: traceId(),
    });
  }

  async function gaveUp(delivery: Delivery, reason: string): Promise<void> {
    await cleanup.refuse(readPayload(delivery).command, 'internal_error', `the queue gave the job up: ${reason}`);
  }

  return { consume, gaveUp };
}

function deadLetter(failed: Failure, history: AttemptHistory): Settlement {
  return { action: 'dead_letter', reason: deadLetterReason(failed.errorCode, failed.errorMessage), history };
}

/** A failed job's reason, as the contract has it: `<code>: <message>`. */
function deadLetterReason(code: FailureCode, message: string): string {
  return `${code}: ${storable(message, 1_000)}`;
}
