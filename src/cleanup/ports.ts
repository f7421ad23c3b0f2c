import type { RetentionFacts } from '../domain/due.js';
import type { FailureCode } from '../domain/error-codes.js';
import type { OperationEntry, Removal } from '../domain/operation.js';
import type { RuntimeRecord } from '../domain/runtime-record.js';

/** A record taken under a lease, with the facts that need the database's clock. */
export interface TakenRecord extends RetentionFacts {
  readonly record: RuntimeRecord;
}

export type MarkRemovedAnswer =
  | { readonly status: 'marked'; readonly record: RuntimeRecord }
  /** The compare-and-set failed, because another operation had already marked the record as removed. */
  | { readonly status: 'already_removed'; readonly record: RuntimeRecord }
  /** The record is no longer what was taken: restarted, another container, another holder's fence. */
  | { readonly status: 'changed'; readonly record: RuntimeRecord }
  | { readonly status: 'vanished' };

/** The runtime records. Members reject with `UnavailableError` when the database cannot answer. */
export interface RuntimeRecords {
  /**
   * Reads the record; if it is `stopped`, bumps its fence in the same statement, and the returned record carries the
   * bumped fence. Any other status is returned unchanged. Undefined: there is no record of this game.
   */
  readonly take: (gameId: string) => Promise<TakenRecord | undefined>;
  /**
   * Compare-and-set `stopped -> removed` against the taken record (status, container id, fence) and, in the same
   * transaction, appends `entry`. Nothing is appended unless the answer is `marked`.
   */
  readonly markRemoved: (taken: RuntimeRecord, entry: OperationEntry) => Promise<MarkRemovedAnswer>;
}

/** The append-only operation log. */
export interface OperationLog {
  readonly append: (entry: OperationEntry) => Promise<void>;
}

/** The state of a container, as the engine reports it now. */
export type ContainerState =
  /** The engine itself says that no container has this id. */
  { readonly kind: 'gone' } | PresentContainer;

export interface PresentContainer {
  readonly kind: 'present';
  /** The `com.galaxy.game_id` label; null where the container carries none. */
  readonly gameLabel: string | null;
  readonly activity: ContainerActivity;
  /** The engine's own word for the state, and its error text where it has one. */
  readonly detail: string;
}

/** `idle`: created, exited or dead, so it may be removed. `unknown`: a state that this version does not know. */
export type ContainerActivity = 'idle' | 'running' | 'paused' | 'restarting' | 'removing' | 'unknown';

export type RemovalAnswer =
  /**
   * The container is gone. `ours`: the engine has carried out our request. Otherwise it only says that it has no such
   * container, which is to be believed only from the engine that owned it.
   */
  | { readonly kind: 'gone'; readonly ours: boolean }
  /** The engine refused; `state` is a fresh look taken after that. */
  | { readonly kind: 'still_there'; readonly state: PresentContainer; readonly detail: string };

/** A container that carries a game's label. */
export interface LabelledContainer {
  readonly containerId: string;
  /** The engine's word for its state, for example `exited`. */
  readonly status: string;
  /** It runs, is paused or is restarting. */
  readonly isActive: boolean;
}

/**
 * The container engine. Ids are full 64-hex ids. Members reject with `UnavailableError` when the engine cannot answer
 * in time or a removal's answer was lost (then it may still be carried out), and with the signal's reason on abort.
 */
export interface ContainerEngine {
  readonly look: (containerId: string, signal: AbortSignal) => Promise<ContainerState>;
  /** Removes the container and its anonymous volumes, never by force. */
  readonly remove: (containerId: string, signal: AbortSignal) => Promise<RemovalAnswer>;
  /** The containers that carry the game's label, in any state. Nothing is removed on the strength of a label. */
  readonly labelled: (gameId: string, signal: AbortSignal) => Promise<readonly LabelledContainer[]>;
}

/** The container of a record, and the job that cleans it up. */
export interface Subject {
  readonly containerId: string;
  readonly gameId: string;
  readonly jobId: string;
}

export type GoneBelief =
  | { readonly believed: true; readonly removal: Removal }
  /** There is no evidence that the engine ever had the container; `why` says what is missing and what to do. */
  | { readonly believed: false; readonly why: string };

/** What the engine's answers are worth. Members reject with `UnavailableError` in an outage of engine or database. */
export interface EngineEvidence {
  /** The container is there, and is left alone. */
  readonly foundPresent: (subject: Subject) => Promise<void>;
  /** The removal is sent next: stored before this resolves, so that a crash of this process leaves its trace. */
  readonly removalIsNext: (subject: Subject) => Promise<void>;
  /** Whether the container may be believed to be gone. `removalSent`: this attempt has sent a removal. */
  readonly judgeGone: (
    subject: Subject & { readonly removalSent: boolean },
    signal: AbortSignal,
  ) => Promise<GoneBelief>;
}

/** The engine cannot be used now: the job is to come back, as if it had not been started. */
export interface Held {
  readonly outcome: 'held';
  readonly errorCode: Extract<FailureCode, 'engine_mismatch' | 'service_unavailable'>;
  readonly errorMessage: string;
  readonly retryInMs: number;
  /** Whether the first time a job is held leaves a row; `none`: the engine is only busy, and nothing has failed. */
  readonly firstRow: 'written' | 'none';
}

/** The right to use an engine for one container. */
export interface EngineTurn {
  readonly outcome: 'granted';
  readonly engine: ContainerEngine;
  readonly evidence: EngineEvidence;
  /** Must be called when the engine is no longer used. */
  readonly release: () => void;
}

/** The engines that records can name. */
export interface Engines {
  /**
   * A turn at the engine of this name, soon or not at all. Undefined: this process knows no engine of that name.
   * Rejects with the signal's reason on abort.
   */
  readonly take: (name: string, signal: AbortSignal) => Promise<EngineTurn | Held | undefined>;
}

/** Is called with what happened; must not throw. */
export interface CleanupObserver {
  /** Every operation's ending, with the facts of its row in the operation log; `cause` is what was thrown, if anything. */
  readonly concluded: (entry: OperationEntry, cause?: unknown) => void;
  /** A refusal's row could not be written; the outcome stands. */
  readonly auditRowLost: (entry: OperationEntry, cause: unknown) => void;
  /** A lease could not be released; it ends by itself when its time is over. */
  readonly leaseReleaseFailed: (gameId: string, cause: unknown) => void;
}
