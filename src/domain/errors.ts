/**
 * The one catalogue of error classes: every error that this program throws by itself is made here. `code` is stable and
 * meant for machines, the message for people. Business endings are values (`Result`), never exceptions; what is thrown
 * is an unavailable dependency, input that cannot be used, a request to stop, or a bug.
 *
 * | code | classes |
 * |---|---|
 * | `service_unavailable` | UnavailableError, EngineRefusalError, MissingRightError, TimeoutError |
 * | `invalid_request` | UsageError, InvalidPageError, InvalidArgumentError, RequestRefusedError (its own code) |
 * | `configuration` | ConfigurationError, ConfigError, MigrationError, MigrationForbiddenError |
 * | `lease_lost` | LeaseLostError |
 * | `stopped` | StopRequestedError, InterruptedError, NotWaitedForError |
 * | `internal_error` | BugError, WeakTokenError, EngineProtocolError, StatementRefusedError, LibraryChangedError, StoredError |
 */
import type { ErrorCode } from './error-codes.js';

/** The systems outside this process that a cleanup depends on. */
export type Dependency = 'docker' | 'postgresql' | 'redis' | 'queue';

/**
 * A dependency is out of reach, timed out, or said that it cannot serve now. The answer to a request that was under way
 * is unknown. Adapters throw it; every other exception counts as a bug.
 */
export class UnavailableError extends Error {
  override readonly name: string = 'UnavailableError';
  readonly code = 'service_unavailable';

  constructor(
    /** `unknown`: the caller asked several systems at once, or another one. */
    readonly dependency: Dependency | 'unknown',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The engine answered that it does not carry out the request: it lives, although something is wrong with this container. */
export class EngineRefusalError extends UnavailableError {
  override readonly name = 'EngineRefusalError';

  constructor(message: string, options?: ErrorOptions) {
    super('docker', message, options);
  }
}

/**
 * The role of a store's connections lacks a right. At the start it stops the program. Later it is an outage like any other,
 * because a right that was taken away can be granted again: the work waits for it.
 */
export class MissingRightError extends UnavailableError {
  override readonly name = 'MissingRightError';

  constructor(dependency: Dependency, words: string, options?: ErrorOptions) {
    super(dependency, `${words}; run deploy/roles.sql, which grants it (docs/operations.md, "Roles")`, options);
  }
}

/** A call did not settle in its time. Its outcome is unknown: the other side may still carry it out. */
export class TimeoutError extends UnavailableError {
  override readonly name = 'TimeoutError';

  /** @param what the first part of the message, for example "the lease store did not answer the renewal" */
  constructor(
    what: string,
    readonly limitMs: number,
    { dependency, advice }: { readonly dependency?: Dependency; readonly advice?: string } = {},
  ) {
    super(
      dependency ?? 'unknown',
      `${what} within ${Math.round(limitMs)} ms${advice === undefined ? '' : `; ${advice}`}`,
    );
  }
}

/** Settings or collaborators that cannot work together; thrown while the program is put together, never later. */
export class ConfigurationError extends Error {
  override readonly name: string = 'ConfigurationError';
  readonly code = 'configuration';
}

/** The environment cannot be used; `lines` holds one sentence for each wrong setting. */
export class ConfigError extends ConfigurationError {
  override readonly name = 'ConfigError';

  constructor(readonly lines: readonly string[]) {
    super(lines.join('\n'));
  }
}

/** The database's schema and this program do not fit together; the message says what to do about it. */
export class MigrationError extends ConfigurationError {
  override readonly name: string = 'MigrationError';
}

/** The database's role, which `words` of the database name, may not change the tables; another role must migrate them. */
export class MigrationForbiddenError extends MigrationError {
  override readonly name = 'MigrationForbiddenError';

  constructor(words: string, options?: ErrorOptions) {
    super(`${words}; run "runtime-cleanup migrate" as the role that owns the tables`, options);
  }
}

/** The command line cannot be used; `lines` holds one sentence for each reason. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'invalid_request';

  constructor(readonly lines: readonly string[]) {
    super(lines.join('\n'));
  }
}

/** A page was asked for with a cursor or a limit that cannot be used: the caller's mistake. */
export class InvalidPageError extends Error {
  override readonly name = 'InvalidPageError';
  readonly code = 'invalid_request';
}

/** A function of this program was called with a value that it must not be given. */
export class InvalidArgumentError extends TypeError {
  override readonly name = 'InvalidArgumentError';
  readonly code = 'invalid_request';
}

/** The codes of an HTTP error body (contract, section 4). */
export type RefusalCode = Exclude<ErrorCode, '' | 'replay_no_op'> | 'unauthorized';

/** An HTTP request that is answered with an error body; `statusCode` is the name that Fastify and bull-board read. */
export class RequestRefusedError extends Error {
  override readonly name = 'RequestRefusedError';

  constructor(
    readonly code: RefusalCode,
    readonly statusCode: number,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The lease is not ours any more, or can no longer be trusted to be. The reason of an aborted `lease.signal`. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError';
  readonly code = 'lease_lost';

  constructor(
    readonly gameId: string,
    readonly reason: string,
  ) {
    super(`the lease of game ${JSON.stringify(gameId)} is lost: ${reason}`);
  }
}

/** SIGHUP: the terminal was closed, or `npm run` passes on that it was. */
export type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

/** Why a command's signal was aborted: the user or the system asked the process to end. */
export class StopRequestedError extends Error {
  override readonly name = 'StopRequestedError';
  readonly code = 'stopped';

  constructor(readonly stopSignal: StopSignal) {
    super(`stopped by ${stopSignal}`);
  }
}

/** Why running work must stop. */
export type Interruption = 'shutdown' | 'lock lost';

/** The reason of the signal that a job consumer gets. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
  readonly code = 'stopped';

  constructor(readonly interruption: Interruption) {
    super(interruption === 'shutdown' ? 'the worker is shutting down' : "the job's lock was lost to another worker");
  }
}

/** Work is no longer waited for: its caller has disconnected, or what it waited on was closed. */
export class NotWaitedForError extends Error {
  override readonly name = 'NotWaitedForError';
  readonly code = 'stopped';
}

/** A state that the program rules out. */
export class BugError extends Error {
  override readonly name = 'BugError';
  readonly code = 'internal_error';
}

/** The token source gave a token that another holder could have, too: a bug, or a broken source of randomness. */
export class WeakTokenError extends Error {
  override readonly name = 'WeakTokenError';
  readonly code = 'internal_error';
}

/** The engine and this program misunderstand each other; trying again does not help. */
export class EngineProtocolError extends Error {
  override readonly name = 'EngineProtocolError';
  readonly code = 'internal_error';
}

/** The database refuses the statement and would refuse it again: a bug, or tables that are not as they should be. */
export class StatementRefusedError extends Error {
  override readonly name = 'StatementRefusedError';
  readonly code = 'internal_error';

  constructor(
    readonly sqlState: string,
    words: string,
    options?: ErrorOptions,
  ) {
    super(`PostgreSQL refuses the statement: ${words} (SQLSTATE ${sqlState})`, options);
  }
}

/** A library's internal member that a patch replaces is not where this program expects it; `adapters/*\/patches`. */
export class LibraryChangedError extends Error {
  override readonly name = 'LibraryChangedError';
  readonly code = 'internal_error';

  constructor(library: string, member: string) {
    super(`this version of ${library} has no ${member}; install the version that package-lock.json names`);
  }
}

/** A copy of an error in a form that the queue's store accepts. */
export class StoredError extends Error {
  override readonly name = 'StoredError';
  readonly code = 'internal_error';
}

/** The text of anything thrown, for messages and logs. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message === '' ? thrown.name : thrown.message;
  return String(thrown);
}

/**
 * Throws a `ConfigurationError` that names each value that is no function. The types forbid a missing collaborator
 * already; this finds a wiring mistake in untyped code before the first removal does.
 */
export function requireFunctions(what: string, needed: Readonly<Record<string, unknown>>): void {
  const missing = Object.keys(needed).filter((name) => typeof needed[name] !== 'function');
  if (missing.length > 0) throw new ConfigurationError(`${what} cannot be built without ${missing.join(', ')}`);
}
