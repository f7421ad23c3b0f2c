import type { AuditOptions } from '../audit/audit.js';
import type { InvariantReport } from '../audit/audit-report.js';
import type { Clock } from '../async/clock.js';
import type { Config } from '../config/config.js';
import type { RecordQueries } from '../domain/record-queries.js';
import type { DeadLetters } from '../jobs/dead-letters.js';
import type { CleanupQueue, JobWaiter } from '../jobs/ports.js';
import type { Holds } from '../retention/holds.js';
import type { Retention } from '../retention/retention-service.js';
import type { Log } from '../telemetry/logger.js';

/** What one run of a command has at hand. */
export interface Session {
  readonly config: Config;
  readonly log: Log;
  readonly clock: Clock;
  /** Aborted, with a `StopRequestedError`, when the user or the system asks the command to end. */
  readonly signal: AbortSignal;
}

export interface Reader {
  readonly queries: RecordQueries;
  readonly close: () => Promise<void>;
}

export interface Producer {
  readonly queue: CleanupQueue;
  readonly endings: JobWaiter;
  /** Closes `queue` and `endings` and whatever they stand on. */
  readonly close: () => Promise<void>;
}

/** What is opened for one command; `close` closes it and whatever it stands on. */
export interface Opened {
  readonly close: () => Promise<void>;
}

export interface RetentionHandle extends Opened {
  readonly retention: Retention;
}

interface HoldsHandle extends Opened {
  readonly holds: Holds;
  /** To tell whether a held game has a record at all. */
  readonly queries: RecordQueries;
}

interface DeadLetterHandle extends Opened {
  readonly deadLetters: DeadLetters;
}

/** `serve`: all of it; `worker`: cleanups and retention; `api`: HTTP. */
export type ServiceRole = 'serve' | 'worker' | 'api';

/** One thing that `doctor` looked at. */
export interface Check {
  readonly name: string;
  readonly status: 'ok' | 'warn' | 'failed';
  /** What was found, in one line. */
  readonly detail: string;
  /** What to do about it. */
  readonly advice?: string;
}

export interface TextStream {
  readonly write: (text: string) => unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** All that the commands want of the rest of the service. Members reject with `UnavailableError` in an outage. */
export interface CommandBackend {
  /** Applies what is pending, one report for each step; resolves to the names of the migrations applied. */
  readonly migrate: (session: Session, report: (line: string) => void) => Promise<readonly string[]>;
  readonly openReader: (session: Session) => Promise<Reader>;
  readonly openProducer: (session: Session) => Promise<Producer>;
  readonly openRetention: (session: Session) => Promise<RetentionHandle>;
  readonly openHolds: (session: Session) => Promise<HoldsHandle>;
  readonly openDeadLetters: (session: Session) => Promise<DeadLetterHandle>;
  /** Works until the session's signal is aborted, then resolves when all is closed. */
  readonly runService: (session: Session, role: ServiceRole) => Promise<void>;
  /** Yields each check as it is done; a dependency that is away is a failed check, not a rejection. */
  readonly checkDependencies: (session: Session) => AsyncIterable<Check>;
  /** Yields each invariant as it has been checked; one whose dependency is away is `unknown`, not a rejection. */
  readonly verifyInvariants: (
    session: Session,
    options: Pick<AuditOptions, 'gameId' | 'onProgress'>,
  ) => AsyncIterable<InvariantReport>;
}
