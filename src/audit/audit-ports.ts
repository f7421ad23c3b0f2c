/** What the audit reads. No member changes anything; each rejects when its store or engine cannot answer. */

/** A record with what the operation log says about it; compared in the database, whose clock stamped both. */
export interface AuditedRecord {
  readonly gameId: string;
  readonly status: string;
  readonly containerId: string | null;
  /** Whether it looks as only a cleanup leaves it: fence taken, container id empty, both times from one moment. */
  readonly bearsOurMark: boolean;
  /** Success rows with exactly the time of the record's removal: a cleanup writes both in one statement. */
  readonly rowsOfRemoval: number;
  /** The container that such a row names; the empty string where there is no such row. */
  readonly containerOfRemoval: string;
  /** Removed before the oldest row that a pruned log still has. */
  readonly olderThanLog: boolean;
  /** Null: the log has no success row of this game. */
  readonly newestRow: NewestRow | null;
}

/** The newest success row of a game. */
export interface NewestRow {
  readonly id: string;
  readonly jobId: string;
  readonly containerId: string;
  /** Written after the record's present removal. False where the record has none. */
  readonly afterRemoval: boolean;
  /** The record has not been changed since. */
  readonly recordUntouched: boolean;
  /** Another success row of this game names the same container. */
  readonly isRepeated: boolean;
}

export interface RecordQuery {
  /** Null: all games. */
  readonly gameId: string | null;
  readonly status: 'removed' | 'any';
  readonly after: string | null;
  readonly limit: number;
}

export interface JobOfGame {
  readonly jobId: string;
  readonly gameId: string;
}

export interface AuditRecords {
  /** In game id order, one keyset page; a short one is the last. */
  readonly page: (query: RecordQuery) => Promise<readonly AuditedRecord[]>;
  readonly countRemoved: (gameId: string | null) => Promise<number>;
  /** Those of the jobs without a failure row in the log of their game. */
  readonly withoutFailureRow: (jobs: readonly JobOfGame[]) => Promise<readonly JobOfGame[]>;
}

export type ContainerLook =
  | { readonly kind: 'gone' }
  | { readonly kind: 'present'; readonly activity: string; readonly detail: string };

export interface AuditContainers {
  /** Rejects when the engine is unavailable. */
  readonly ready: () => Promise<void>;
  /** By full id. Rejects with the signal's reason on abort. */
  readonly look: (containerId: string, signal: AbortSignal) => Promise<ContainerLook>;
}

/** A lease that is held at this moment. */
export interface AuditedLease {
  /** Null where the key names no game. */
  readonly gameId: string | null;
  /** How long it still lasts, in milliseconds; null: for ever. */
  readonly lifeMs: number | null;
  /** Where it is stored, for the operator who must delete it. */
  readonly place: string;
}

export interface AuditLeases {
  /** One page; the pages together have each lease at least once. `after`: the `next` of the page before. */
  readonly page: (
    after: string | null,
  ) => Promise<{ readonly leases: readonly AuditedLease[]; readonly next: string | null }>;
}

/** A job in the state `active` whose lock no worker holds. */
export interface UnlockedJob extends JobOfGame {
  readonly queue: string;
  /** Another text once the job has been claimed again. */
  readonly claim: string;
}

interface FailedPlace {
  readonly failedAtMs: number;
  readonly jobId: string;
}

export interface AuditedDeadLetter extends JobOfGame, FailedPlace {
  readonly reason: string;
  /** Whether the reason has the form `<code>: <message>` with a code of the catalogue. */
  readonly isReadable: boolean;
}

export interface AuditQueue {
  readonly unlocked: () => Promise<{ readonly active: number; readonly jobs: readonly UnlockedJob[] }>;
  /** Newest first; an empty page is the end. */
  readonly deadLetters: (after: FailedPlace | null, limit: number) => Promise<readonly AuditedDeadLetter[]>;
  /** Undefined: the job is no longer a dead letter. */
  readonly deadLetter: (jobId: string) => Promise<AuditedDeadLetter | undefined>;
}
