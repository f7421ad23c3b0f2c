import { isSpanContextValid, trace } from '@opentelemetry/api';

/** The ids of the span that is active here, under the names of the log fields; undefined outside of any. */
export function currentTrace(): { readonly trace_id: string; readonly span_id: string } | undefined {
  const context = trace.getActiveSpan()?.spanContext();
  if (context === undefined || !isSpanContextValid(context)) return undefined;
  return { trace_id: context.traceId, span_id: context.spanId };
}

/** The trace id that is active here, or the empty string. */
export const currentTraceId = (): string => currentTrace()?.trace_id ?? '';
