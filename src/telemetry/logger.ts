import { pino } from 'pino';
import { currentTrace } from './current-trace.js';

/** What the other rooms need of a log: fields first, then a constant message. */
export interface Log {
  readonly debug: (fields: Readonly<Record<string, unknown>>, message: string) => void;
  readonly info: (fields: Readonly<Record<string, unknown>>, message: string) => void;
  readonly warn: (fields: Readonly<Record<string, unknown>>, message: string) => void;
  readonly error: (fields: Readonly<Record<string, unknown>>, message: string) => void;
}

export interface LoggerOptions {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  /** Where the lines go; standard output when not given. */
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
      redact: { paths: SECRET_NAMES.flatMap((name) => [name, `*.${name}`]), censor: '***' },
      // The last gate: messages of drivers may quote the address they were given, whatever field they end up in.
      hooks: { streamWrite: withoutPasswords },
    },
    // A line lost in a buffer would be the one that tells why the process died.
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
