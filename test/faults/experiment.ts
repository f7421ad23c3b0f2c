/**
 * The form of the fault laboratory's experiments. Each one breaks something on purpose, many times, around real worker
 * processes, and reports what it found. `run.ts` runs them all and prints one table; the tests run small parts of them.
 */

export type Store = 'redis' | 'postgres';

/** The servers of one run, private to it. An experiment that kills one starts its own. */
export interface Servers {
  /** Superuser URL; every site makes a database of its own there. */
  readonly postgresUrl: string;
  /** Unix socket of the container engine. */
  readonly engineSocket: string;
  readonly redisUrl: string;
  /** Unix socket of an engine without containers, for faults that put it in the place of the other. */
  readonly otherEngineSocket?: string;
  /** Another build of the program than the project's own: its `main.js`. */
  readonly program?: string;
}

export interface Options {
  /** The same seed makes the same schedule of faults. */
  readonly seed: number;
  /** How often each fault of a matrix is tried on each store. */
  readonly runs: number;
  /** How many seeded histories are played. */
  readonly histories: number;
  /** How long each server is unavailable in an outage, in seconds. */
  readonly outage: number;
  /** How many sites work at the same time. */
  readonly lanes: number;
  /** Progress, a line each. */
  readonly say: (line: string) => void;
  /** Aborted when no other run is to begin; those under way are finished and reported. */
  readonly signal?: AbortSignal;
}

/** A promise that was broken, with all that is needed to see it again. */
export interface Violation {
  /** Short and fixed: the name of the check that caught it. */
  readonly check: string;
  readonly what: string;
  /** The seed, and what happened in order. */
  readonly seed: number;
  readonly history: readonly string[];
}

/** One row of the table: one fault, all its runs. */
export interface Finding {
  readonly fault: string;
  /** `both` where the queue's store plays no part. */
  readonly store: Store | 'both';
  readonly runs: number;
  readonly violations: readonly Violation[];
  /** How long each recovery took, in milliseconds from the fault (or from the end of the outage) until all was done. */
  readonly recoveriesMs: readonly number[];
  /** Figures that are no recovery, for the notes below the table. */
  readonly notes?: readonly string[];
}

export interface Experiment {
  readonly name: string;
  /** One line for the help text. */
  readonly about: string;
  /** Whether it heeds the signal. */
  readonly endsEarly?: boolean;
  readonly run: (servers: Servers, options: Options) => Promise<readonly Finding[]>;
}
