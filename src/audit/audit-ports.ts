/** What the audit reads. No member changes anything; each rejects when its store or engine cannot answer. */
import type { EngineIdentity, EngineRegistry } from '../engines/engine-ports.js';

/** A record with what the operation log says about it; compared in the database, whose clock stamped both. */
export interface AuditedRecord {
  readonly gameId: string;
  readonly status: string;
  readonly containerId: string | null;
  /** The name of the engine that the record belongs to. */
  readonly engine: string;
  /** Whether it looks as only a cleanup leaves it: fence taken, container id empty, both times from one moment. */
  readonly bearsOurMark: boolean;
  /** Success rows with exactly the time of the record's removal: a cleanup writes both in one statement. */
  readonly rowsOfRemoval: number;
  /** The container that such a row names; the empty string where there is no such row. */
  readonly containerOfRemoval: string;
  /** The engine that such a row names, and what the cleanup did to the container; empty where the row does not say it. */
  readonly engineOfRemoval: string;
  readonly removal: string;
  /** Removed before the oldest row that a pruned log still has. */
  readonly olderThanLog: boolean;
  /** Null: the log has no success row of this game, or the newest one was undone. */
  readonly newestRow: NewestRow | null;
}

/** The newest success row of a game that was not undone since. */
export interface NewestRow {
  readonly id: string;
  readonly jobId: string;
  readonly containerId: string;
  /** Written after the record's present removal. False where the record has none. */
  readonly afterRemoval: boolean;
  /** The record has not been changed since. */
  readonly recordUntouched: boolean;
  /** Another success row of this game, which was not undone, names the same container. */
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
  /** In the order of the containers. */
  readonly namesOf: (engine: string, containers: readonly OwnedContainer[]) => Promise<readonly ContainerNaming[]>;
  /** Those of the jobs without a failure row in the log of their game. */
  readonly withoutFailureRow: (jobs: readonly JobOfGame[]) => Promise<readonly JobOfGame[]>;
}

export type ContainerLook =
  | { readonly kind: 'gone' }
  | { readonly kind: 'present'; readonly activity: string; readonly detail: string };

/** A container that carries the label of this service. */
export interface OwnedContainer {
  readonly containerId: string;
  /** Null: the container has no label of a game. */
  readonly gameLabel: string | null;
  /** The engine's word for its state, for example `exited`. */
  readonly status: string;
}

/** What the records say about a container. */
export interface ContainerNaming {
  /** A record that is `running` or `stopped` names it, on its engine. */
  readonly isNamed: boolean;
  /** The record of the game whose label the container has. */
  readonly record: { readonly status: string; readonly containerId: string | null } | null;
}

/** The engines by their names. Members reject with the signal's reason on abort. */
export interface AuditEngines {
  /** The engines that are configured here, the default one first. */
  readonly names: () => readonly string[];
  readonly identify: (engine: string, signal: AbortSignal) => Promise<EngineIdentity>;
  /** By full id. */
  readonly look: (engine: string, containerId: string, signal: AbortSignal) => Promise<ContainerLook>;
  /** All containers with the label of this service; of one game where `gameId` is not null. */
  readonly owned: (engine: string, gameId: string | null, signal: AbortSignal) => Promise<readonly OwnedContainer[]>;
}

/** The stored identities of the engines. */
export type AuditedEngines = Pick<EngineRegistry, 'list' | 'named'>;

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
