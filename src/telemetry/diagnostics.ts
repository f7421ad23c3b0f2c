import { DiagLogLevel, type DiagLogger } from '@opentelemetry/api';
import type { Clock } from '../async/clock.js';
import type { Log } from './logger.js';

const QUIET_MS = 60_000;

/**
 * Writes OpenTelemetry's own messages to our log: the first warning at once, then at most one a minute with the number of
 * those left out. A collector that is unavailable for a day must not hide the lines about the work.
 */
export function createDiagnostics(log: Log, clock: Clock): DiagLogger {
  let quietUntilMs = -Infinity;
  let leftOut = 0;

  const warn = (message: string) => {
    const nowMs = clock.monotonicMs();
    if (nowMs < quietUntilMs) {
      leftOut += 1;
      return;
    }
    log.warn({ detail: readable(message), left_out: leftOut }, 'telemetry trouble');
    quietUntilMs = nowMs + QUIET_MS;
    leftOut = 0;
  };
  const debug = (message: string) => log.debug({ detail: message }, 'telemetry');
  return { error: warn, warn, info: debug, debug, verbose: debug };
}

/** The SDK passes an exception on as JSON with its whole stack; an operator needs its message only. */
function readable(text: string): string {
  const [, quoted] = /"message":("(?:[^"\\]|\\.)*")/.exec(text) ?? [];
  return (quoted === undefined ? text : String(JSON.parse(quoted))).slice(0, 1_000);
}

/** The level that `OTEL_LOG_LEVEL` names; undefined for any other text. */
export function diagnosticsLevel(text: string | undefined): DiagLogLevel | undefined {
  const wanted = text?.trim().toUpperCase();
  return Object.entries(DiagLogLevel)
    .filter(([name]) => name === wanted)
    .map(([, level]) => level)
    .find((level): level is DiagLogLevel => typeof level === 'number');
}
