/** All that is known of a history when it is over. What is checked is checked against this alone. */
import type { RequestSeen } from '../../../support/engine/engine-fault-proxy.js';
import type { Audited } from '../../laboratory/audit.js';
import type { EngineEvent } from '../../laboratory/engine-ledger.js';
import type { SeenJob } from '../../laboratory/jobs.js';
import type { Asked } from '../../laboratory/lifecycle.js';
import type { Seen } from '../../laboratory/step-control.js';
import type { Schedule, Situation } from './schedule.js';

export interface Game {
  readonly gameId: string;
  readonly situation: Situation;
  /** The record's, when the history began. */
  readonly containerId: string | null;
}

/** One act and what came of it; times are milliseconds since the history began. */
export interface Played {
  readonly fromMs: number;
  readonly toMs: number;
  readonly what: string;
  readonly answer: string;
}

/** A job that the queue took, or said that it had already. */
export interface Accepted {
  readonly jobId: string;
  readonly gameId: string;
  readonly source: string;
  /** It was another request's, and this one joined it. */
  readonly isJoined: boolean;
  /** Its data say nothing that could be done. */
  readonly isNonsense: boolean;
  readonly expectedContainerId: string | undefined;
}

/** The other service had the game's lease from here to there. */
export interface Tenure {
  readonly gameId: string;
  readonly askedNs: number;
  readonly fromNs: number;
  readonly toNs: number;
}

export interface Frozen {
  readonly pid: number;
  readonly fromNs: number;
  readonly toNs: number;
}

/** A container that no cleanup may touch, and how it stood before and after. */
export interface Stranger {
  readonly containerId: string;
  readonly what: string;
  readonly was: string;
  readonly is: string;
}

/** A record before or after the last sweep. */
export interface Standing {
  readonly gameId: string;
  readonly status: string;
  readonly containerId: string | null;
  /** The engine's word for the record's container; `none` where it names none. */
  readonly container: string;
  readonly isDue: boolean;
  readonly isHeld: boolean;
}

export interface History {
  readonly schedule: Schedule;
  readonly startedAt: Date;
  /** What the journals' clock said then. */
  readonly startedNs: number;
  readonly games: readonly Game[];
  readonly played: readonly Played[];
  readonly accepted: readonly Accepted[];
  /** Jobs that a purge took, by their ids. */
  readonly purged: readonly string[];
  /** Whether all jobs ended in time once everything was well again, and how long that took. */
  readonly settled: boolean;
  readonly settlingMs: number;
  /** Every job of these games when the faults were over and all had ended, and again after the dead letters' replay and the last sweep. */
  readonly jobsSettled: readonly SeenJob[];
  readonly jobsAtLast: readonly SeenJob[];
  readonly beforeSweep: readonly Standing[];
  readonly afterSweep: readonly Standing[];
  readonly strangers: readonly Stranger[];
  readonly tenures: readonly Tenure[];
  readonly frozen: readonly Frozen[];
  /** The workers' journal. */
  readonly steps: readonly Seen[];
  /** The database's account. */
  readonly notes: readonly Audited[];
  readonly events: readonly EngineEvent[];
  /** What the workers asked of the engine. */
  readonly requests: readonly RequestSeen[];
  /** What the other service asked of the engine. */
  readonly asked: readonly Asked[];
}
