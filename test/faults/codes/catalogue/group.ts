import type { ErrorCode } from '../../../../src/domain/error-codes.js';
import type { JobOutcome } from '../../../../src/jobs/delivery.js';

/** Situations that end alike. */
export interface Group {
  readonly code: ErrorCode;
  readonly job: JobOutcome['action'];
  /** The ending's row could not be written to the operation log. */
  readonly rowIsLost?: true;
  /** By id, in words for an operator. */
  readonly situations: Readonly<Record<string, string>>;
}
