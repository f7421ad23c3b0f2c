import type { Clock } from '../clock.js';
import type { Config } from '../config.js';
import type { RecordQueries } from '../domain/pages.js';
import type { CleanupQueue, JobEndings } from '../jobs/ports.js';
import type { Log } from '../telemetry/logger.js';

/** What one run of a command has at hand. */
export interface Session {
  readonly config: Config;
  readonly log: Log;
  readonly clock: Clock;
  /** Aborted, with a `StopRequested`, when the user or the system asks the command to end. */
  readonly signal: AbortSignal;
}

export interface Reader {
  readonly queries: RecordQueries;
  readonly close: () => Promise<void>;
}

export interface Producer {
  readonly queue: CleanupQueue;
  readonly endings: JobEndings;
  /** Closes `queue` and `endings` and whatever they stand on. */
  readonly close: () => Promise<void>;
}

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

/** How the demo talks to whoever watches it. */
interface DemoIo {
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  readonly json: boolean;
}

/** All that the commands want of the rest of the service. Members reject with `UnavailableError` in an outage. */
export interface CliWorld {
  /** Applies what is pending, one report for each step; resolves to the names of the migrations applied. */
  readonly migrate: (session: Session, report: (line: string) => void) => Promise<readonly string[]>;
  readonly openReader: (session: Session) => Promise<Reader>;
  readonly openProducer: (session: Session) => Promise<Producer>;
  /** Works until the session's signal is aborted, then resolves when all is closed. */
  readonly runWorker: (session: Session) => Promise<void>;
  /** Yields each check as it is done; a dependency that is away is a failed check, not a rejection. */
  readonly checkDependencies: (session: Session) => AsyncIterable<Check>;
  /** Resolves to whether everything was as expected. */
  readonly runDemo: (session: Session, io: DemoIo) => Promise<boolean>;
}
