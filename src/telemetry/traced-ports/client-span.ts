import { SpanKind, SpanStatusCode, type Attributes, type Span, type Tracer } from '@opentelemetry/api';
import { messageOf } from '../../domain/errors.js';
import { withStepEvents } from '../../async/step-events.js';

/**
 * Runs `work` as a step and in a span of a call to another service. A rejection is recorded on the span, sets its status, and goes
 * on to the caller unchanged.
 */
export async function inClientSpan<Answer>(
  tracer: Tracer,
  name: string,
  attributes: Attributes,
  work: (span: Span) => Promise<Answer>,
): Promise<Answer> {
  return tracer.startActiveSpan(name, { kind: SpanKind.CLIENT, attributes }, async (span) => {
    try {
      return await withStepEvents(name, attributes, () => work(span));
    } catch (thrown) {
      recordError(span, thrown);
      throw thrown;
    } finally {
      span.end();
    }
  });
}

function recordError(span: Span, thrown: unknown): void {
  span.recordException(thrown instanceof Error ? thrown : String(thrown));
  span.setAttribute('error.type', thrown instanceof Error ? thrown.name : typeof thrown);
  span.setStatus({ code: SpanStatusCode.ERROR, message: messageOf(thrown) });
}
