import type { AuditOptions } from '../audit/audit.js';
import type { InvariantReport } from '../audit/audit-report.js';
import type { Clock } from '../async/clock.js';
import type { Reopen } from '../cleanup/reopen.js';
import type { Config } from '../config/config.js';
import type { RecordQueries } from '../domain/record-queries.js';
import type { EngineRegistry } from '../engines/engine-ports.js';
import type { DeadLetters } from '../jobs/dead-letters.js';
import type { CleanupQueue, JobWaiter } from '../jobs/ports.js';
import type { Holds } from '../retention/holds.js';
import type { Retention } from '../retention/retention-service.js';
import type { Log } from '../telemetry/logger.js';

/** The settings and services of one run of a command. */
export interface CommandContext {
  readonly config: Config;
  readonly log: Log;
  readonly clock: Clock;
  /** Aborted, with a `StopRequestedError`, when the user or the system asks the command to end. */
  readonly signal: AbortSignal;
}

export interface TextStream {
  readonly write: (text: string) => unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** Opened for one command; `close` closes it and the connections it uses. */
export interface Opened {
  readonly close: () => Promise<void>;
}

export interface Reader extends Opened {
  readonly queries: RecordQueries;
}

export interface Producer extends Opened {
  readonly queue: CleanupQueue;
  readonly endings: JobWaiter;
}

export interface RetentionHandle extends Opened {
  readonly retention: Retention;
}

interface HoldsHandle extends Opened {
  readonly holds: Holds;
  /** To find out whether a held game has a record. */
  readonly queries: RecordQueries;
}

interface EnginesHandle extends Opened {
  readonly engines: Pick<EngineRegistry, 'list' | 'accept'>;
  /** The engines that are configured here: their addresses by name. Throws `ConfigurationError` for an unusable setting. */
  readonly addresses: () => ReadonlyMap<string, string>;
}

interface ReopenHandle extends Opened {
  readonly reopen: Reopen;
}

interface DeadLetterHandle extends Opened {
  readonly deadLetters: DeadLetters;
}

/** `serve`: all of it; `worker`: cleanups and retention; `api`: HTTP. */
export type ServiceRole = 'serve' | 'worker' | 'api';

/** One check of `doctor`. */
export interface Check {
  readonly name: string;
  readonly status: 'ok' | 'warn' | 'failed';
  /** What was found, in one line. */
  readonly detail: string;
  /** What to do about it. */
  readonly advice?: string;
}

/** The stores, each opened for one command. */
interface Stores {
  readonly openReader: (context: CommandContext) => Promise<Reader>;
  readonly openProducer: (context: CommandContext) => Promise<Producer>;
  readonly openRetention: (context: CommandContext) => Promise<RetentionHandle>;
  readonly openHolds: (context: CommandContext) => Promise<HoldsHandle>;
  readonly openEngines: (context: CommandContext) => Promise<EnginesHandle>;
  readonly openReopening: (context: CommandContext) => Promise<ReopenHandle>;
  readonly openDeadLetters: (context: CommandContext) => Promise<DeadLetterHandle>;
}

interface Service {
  /** Applies what is pending, one report for each step; resolves to the names of the migrations applied. */
  readonly migrate: (context: CommandContext, report: (line: string) => void) => Promise<readonly string[]>;
  /** Works until the context's signal is aborted, then resolves when everything is closed. */
  readonly runService: (context: CommandContext, role: ServiceRole) => Promise<void>;
}

interface Inspection {
  /** The address of the embedded server that runs; undefined when none runs. Starts nothing. */
  readonly findDatabase: (context: CommandContext) => Promise<string | undefined>;
  /** Yields each check as it is done; an unavailable dependency is a failed check, not a rejection. */
  readonly checkDependencies: (context: CommandContext) => AsyncIterable<Check>;
  /** Yields each invariant as it has been checked; with an unavailable dependency it is `unknown`, not a rejection. */
  readonly verifyInvariants: (
    context: CommandContext,
    options: Pick<AuditOptions, 'gameId' | 'onProgress'>,
  ) => AsyncIterable<InvariantReport>;
}

/**
 * The service, as the command line uses it. Members reject with `UnavailableError` in an outage. The host of the
 * commands holds all of it; a command sees the members that its `CommandRun` names.
 */
export interface CommandBackend extends Stores, Service, Inspection {}
