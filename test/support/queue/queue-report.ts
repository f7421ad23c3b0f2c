import { messageOf } from '../../../src/domain/errors.js';
import type { QueueReport } from '../../../src/adapters/bullmq/store/queue-store.js';
import { createChanges, type Until } from '../changes.js';

export interface RecordingReport extends QueueReport {
  /** Every report in order, as `kind` or `kind: text`. */
  readonly lines: string[];
  readonly of: (kind: keyof QueueReport) => string[];
  /** The assertion is checked at each report. */
  readonly until: Until;
}

export const createRecordingReport = (): RecordingReport => {
  const lines: string[] = [];
  const changes = createChanges();
  const add = (line: string): void => {
    lines.push(line);
    changes.notify();
  };
  return {
    lines,
    of: (kind) => lines.filter((line) => line.startsWith(`${kind}:`)),
    until: changes.until,
    unavailable: (cause) => add(`unavailable: ${messageOf(cause)}`),
    recovered: (outageMs) => add(`recovered: ${outageMs}`),
    fault: (what, cause) => add(`fault: ${what}: ${messageOf(cause)}`),
    lockLost: (jobId) => add(`lockLost: ${jobId}`),
    repaired: (jobId, how) => add(`repaired: ${jobId}: ${how}`),
  };
};
