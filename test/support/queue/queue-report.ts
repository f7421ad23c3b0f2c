import { messageOf } from '../../../src/domain/errors.js';
import type { QueueReport } from '../../../src/adapters/bullmq/store/queue-store.js';

export interface RecordingReport extends QueueReport {
  /** Every report in order, as `kind` or `kind: text`. */
  readonly lines: string[];
  readonly of: (kind: keyof QueueReport) => string[];
}

export const createRecordingReport = (): RecordingReport => {
  const lines: string[] = [];
  return {
    lines,
    of: (kind) => lines.filter((line) => line.startsWith(`${kind}:`)),
    unavailable: (cause) => void lines.push(`unavailable: ${messageOf(cause)}`),
    recovered: (outageMs) => void lines.push(`recovered: ${outageMs}`),
    fault: (what, cause) => void lines.push(`fault: ${what}: ${messageOf(cause)}`),
    lockLost: (jobId) => void lines.push(`lockLost: ${jobId}`),
    repaired: (jobId, how) => void lines.push(`repaired: ${jobId}: ${how}`),
  };
};
