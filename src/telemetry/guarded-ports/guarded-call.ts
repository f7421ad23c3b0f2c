/**
 * One call of a port, as a client span, as a step that tests can hear, and watched by the circuit breaker. These three
 * are one wrapper, so that following a call from the core to its adapter takes one hop.
 *
 * The call is made synchronously: nothing here waits before it. The cleanup service asserts its lease on the line before
 * a removal, and an `await` between the two would let the lease end in between.
 */
import { SpanKind, SpanStatusCode, type Attributes, type Span, type Tracer } from '@opentelemetry/api';
import type { Clock } from '../../async/clock.js';
import { startStep } from '../../async/step-events.js';
import type { Breaker } from '../../circuit-breaker/breaker.js';
import { type Dependency, messageOf } from '../../domain/errors.js';
import type { CleanupMetrics } from '../metrics.js';

/** What a port is wrapped with. */
export interface Guard {
  readonly tracer: Tracer;
  readonly breaker: Pick<Breaker, 'startCall'>;
  readonly metrics: Pick<CleanupMetrics, 'recordLeaseAcquire' | 'recordRemoval'>;
  readonly clock: Clock;
}

export interface GuardedCall<Answer> {
  /** The name of the step and of the span. */
  readonly step: string;
  /** The game or container of the call: the facts of the step and the attributes of the span. */
  readonly facts: Attributes;
  /** What the breaker learns about from the call; undefined where the outcome says nothing about whether jobs can run. */
  readonly dependency: Dependency | undefined;
  /** The span's attributes that the answer decides. */
  readonly describe: (answer: Answer) => Attributes;
  /** Receives the duration of the call, and its answer if it had one. */
  readonly measure?: (elapsedMs: number, answer: Answer | undefined) => void;
}

/** A rejection is recorded on the span, sets its status, and goes on to the caller unchanged. */
export async function guardedCall<Answer>(
  { tracer, breaker, clock }: Guard,
  { step, facts, dependency, describe, measure }: GuardedCall<Answer>,
  call: () => Promise<Answer>,
): Promise<Answer> {
  const startedMs = clock.monotonicMs();
  return tracer.startActiveSpan(step, { kind: SpanKind.CLIENT, attributes: facts }, async (span) => {
    const events = startStep(step, facts);
    let answered: Answer | undefined;
    try {
      const answer = await watchedCall(breaker, dependency, call);
      span.setAttributes(describe(answer));
      events.ended(answer);
      answered = answer;
      return answer;
    } catch (thrown) {
      events.failed();
      recordError(span, thrown);
      throw thrown;
    } finally {
      span.end();
      measure?.(clock.monotonicMs() - startedMs, answered);
    }
  });
}

/** A call that the circuit breaker learns from. */
export async function watchedCall<Answer>(
  breaker: Guard['breaker'],
  dependency: Dependency | undefined,
  call: () => Promise<Answer>,
): Promise<Answer> {
  const watched = dependency === undefined ? undefined : breaker.startCall(dependency);
  try {
    const answer = await call();
    watched?.answered();
    return answer;
  } catch (thrown) {
    watched?.failed(thrown);
    throw thrown;
  }
}

function recordError(span: Span, thrown: unknown): void {
  span.recordException(thrown instanceof Error ? thrown : String(thrown));
  span.setAttribute('error.type', thrown instanceof Error ? thrown.name : typeof thrown);
  span.setStatus({ code: SpanStatusCode.ERROR, message: messageOf(thrown) });
}
