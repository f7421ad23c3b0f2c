import type { Hold } from './holds.js';

/** Counts of runtime records at one moment of the database's clock. */
export interface Census {
  readonly asOf: Date;
  readonly running: number;
  readonly stopped: number;
  readonly removed: number;
  /** Stopped records past their retention, without held and excepted ones and those whose game id breaks the contract. */
  readonly due: number;
  /** Stopped records past their retention that a hold keeps. */
  readonly held: number;
  /** Stopped records past their retention, not held, of the games in `except`. */
  readonly excepted: number;
  /** How long the oldest record that `due` counts has been due, in milliseconds; 0 where `due` is 0. */
  readonly lagMs: number;
}

/** A place in the order of the retention clock. */
export interface RetentionPosition {
  /** The clock's start as the database writes it: it knows instants that a `Date` does not, `infinity` among them. */
  readonly since: string;
  readonly gameId: string;
}

/** A runtime record with the facts that need the database's clock. */
export interface RetentionRecord {
  readonly gameId: string;
  readonly status: string;
  readonly containerId: string | null;
  /** `stopped_at`, where that is null `last_op_at`. Null where `Date` does not know that instant. */
  readonly since: Date | null;
  /** At the moment of the query, in milliseconds; +-Infinity where the database says so. */
  readonly stoppedForMs: number;
  /** The hold that is in force at that moment; null where the game has none, or one that has run out. */
  readonly hold: Hold | null;
  readonly position: RetentionPosition;
}

interface StoppedQuery {
  /** The moment that all pages of one plan are judged by. */
  readonly asOf: Date;
  /** Only records stopped for at least so long at that moment; null: all stopped records. */
  readonly stoppedForMs: number | null;
  readonly after: RetentionPosition | null;
  readonly limit: number;
}

/** The records as retention sees them. Members reject with `UnavailableError` when the database cannot answer. */
export interface RetentionRecords {
  /** The database's clock, to the millisecond. */
  readonly now: () => Promise<Date>;
  /** `except`: games that are not to be counted as due, by their trimmed ids. */
  readonly census: (retentionMs: number, except: readonly string[]) => Promise<Census>;
  /**
   * Stopped records, oldest first by (clock's start, game id), one keyset page. Rejects with `InvalidPageError` for an
   * impossible position.
   */
  readonly stopped: (query: StoppedQuery) => Promise<readonly RetentionRecord[]>;
  /** The records of these games in any status, and the moment of the query; unknown games are left out. */
  readonly find: (
    gameIds: readonly string[],
  ) => Promise<{ readonly asOf: Date; readonly records: readonly RetentionRecord[] }>;
}

export interface DeadLetterOf {
  readonly jobId: string;
  readonly code: string;
}

/** Finds the games whose cleanups are dead letters. Rejects with `UnavailableError` in an outage of the queue. */
export interface DeadLetterGames {
  /** By trimmed game id; the newest one of a game with several. `all`: every game that has one. */
  readonly among: (gameIds: readonly string[] | 'all') => Promise<ReadonlyMap<string, DeadLetterOf>>;
}

export interface RequestTally {
  /** Jobs that are new in the queue. */
  readonly enqueued: number;
  /** Games that already had a live cleanup. */
  readonly coalesced: number;
}

/** Enqueues cleanups with the source `auto_ttl`. Rejects with `UnavailableError` in an outage of the queue. */
export interface CleanupRequests {
  readonly request: (gameIds: readonly string[]) => Promise<RequestTally>;
}

/** Lets one sweep run at a time, among all processes. */
export interface SweepLock {
  /** Runs `work`, or resolves to `busy` while another sweep runs. The lock ends with the process that holds it. */
  readonly exclusively: <T>(work: () => Promise<T>) => Promise<T | 'busy'>;
}

/** Is called with what sweeps did; must not throw. */
export interface SweepObserver {
  readonly enqueued: (jobs: number) => void;
  /** One game could not be enqueued; the sweep goes on without it. */
  readonly skipped: (gameId: string, cause: unknown) => void;
  /** Called once for each sweep. */
  readonly ended: (report: SweepReport) => void;
}

interface SweepFacts {
  /** ISO 8601, by the database's clock. */
  readonly asOf: string;
  readonly finishedAt: string;
  /** Stopped records when the sweep began, and how many of them it found due. */
  readonly stopped: number;
  readonly planned: number;
  /** Past due, but left alone. */
  readonly kept: { readonly held: number; readonly dead_letter: number; readonly invalid_id: number };
}

/** How a sweep ended. JSON types only, because it is also the return value of the sweep's job. */
export type SweepReport =
  | (SweepFacts & {
      readonly status: 'done';
      readonly enqueued: number;
      readonly coalesced: number;
      /** Planned, but not to be enqueued. */
      readonly failed: number;
    })
  /** More than the allowed share of the stopped records was due: nothing was enqueued. `reason` names the override. */
  | (SweepFacts & { readonly status: 'refused'; readonly maxShare: number; readonly reason: string })
  /** Another sweep was running. */
  | { readonly status: 'busy' };

/** The report of a sweep that came to its end. */
export type FinishedSweep = Exclude<SweepReport, { readonly status: 'busy' }>;

export interface ScheduleStatus {
  /** Null: there is no schedule. */
  readonly everyMs: number | null;
  readonly next: Date | null;
  /** The newest sweep of the schedule that came to its end. */
  readonly last: FinishedSweep | null;
  /** The newest sweep that failed for good, by the queue's clock. */
  readonly lastFailure: { readonly at: Date; readonly reason: string } | null;
}

/** Reads the schedule of sweeps. Rejects with `UnavailableError` in an outage of the queue. */
export interface SweepSchedule {
  readonly status: () => Promise<ScheduleStatus>;
}
