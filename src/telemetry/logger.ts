import { isSpanContextValid, trace } from '@opentelemetry/api';
import { pino } from 'pino';
import { loggableError } from './loggable-error.js';

/** The log as the rest of the program sees it: fields first, then a constant message. */
export interface Log {
  readonly debug: (fields: Readonly<Record<string, unknown>>, message: string) => void;
  readonly info: (fields: Readonly<Record<string, unknown>>, message: string) => void;
  readonly warn: (fields: Readonly<Record<string, unknown>>, message: string) => void;
  readonly error: (fields: Readonly<Record<string, unknown>>, message: string) => void;
}

export interface LoggerOptions {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  /** Receives the lines; standard output without it. */
  readonly destination?: { readonly write: (line: string) => unknown };
  readonly name: string;
}

const SECRET_NAMES = ['password', 'token', 'authorization', 'secret'];

/**
 * A logger that writes one JSON object a line, with ISO times, `trace_id` and `span_id` while a span is active, and an
 * exception under `err`.
 */
export function createLogger({ level, destination, name }: LoggerOptions): Log {
  const logger = pino(
    {
      name,
      level,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      mixin: () => currentTrace() ?? {},
      serializers: { err: loggableError },
      redact: { paths: SECRET_NAMES.flatMap((name) => [name, `*.${name}`]), censor: '***' },
      // On the finished line, because a driver's message may quote an address, in any field.
      hooks: { streamWrite: withoutPasswords },
    },
    // Written synchronously: a line lost in a buffer would be the one that says why the process died.
    destination ?? pino.destination({ fd: 1, sync: true }),
  );
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
  };
}

/** Replaces the password of every `scheme://user:password@` in a line of JSON. */
function withoutPasswords(line: string): string {
  return line.includes('://') ? line.replaceAll(/(:\/\/[^\s"/?#:@]*):[^\s"/?#]*@/g, '$1:***@') : line;
}

/** The ids of the active span, under the names of the log fields; undefined outside a span. */
function currentTrace(): { readonly trace_id: string; readonly span_id: string } | undefined {
  const context = trace.getActiveSpan()?.spanContext();
  if (context === undefined || !isSpanContextValid(context)) return undefined;
  return { trace_id: context.traceId, span_id: context.spanId };
}

/** The active trace's id, or the empty string. */
export const currentTraceId = (): string => currentTrace()?.trace_id ?? '';
