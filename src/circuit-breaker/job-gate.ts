/**
 * The gate that a job passes before it runs: the state machine of the circuit breaker and the jobs that wait.
 *
 * - closed: each dependency answers. Jobs run at once.
 * - open: a dependency is unavailable. Jobs wait; a pause runs, longer each time.
 * - half_open: the pause is over. The next job gets a permit alone, as the probe.
 * - probing: the probe runs. The other jobs wait for its result.
 *
 * `trip`: closed -> open, probing -> open. `reset`: any state -> closed. By themselves: open -> half_open after the pause,
 * half_open -> probing when a job is there, and probing -> half_open when the probe ends, or takes too long, without a
 * result.
 */
import type { Clock } from '../async/clock.js';
import { createPermitQueue } from './permit-queue.js';

export interface GateSettings {
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  /** After this time another job may probe, whether or not the probe has ended. */
  readonly probeLimitMs: number;
}

/** Allows one job to run. */
export interface Permit {
  /** Must be called when the job has ended, with any result. */
  readonly release: () => void;
}

type State = 'closed' | 'open' | 'half_open' | 'probing';

export interface JobGate {
  readonly state: () => State;
  /**
   * A number that grows with each change of the state, and with each `startGeneration`. The outcome of a call that began
   * in an earlier generation says nothing about the present one.
   */
  readonly generation: () => number;
  readonly startGeneration: () => number;
  readonly trip: () => void;
  readonly reset: () => void;
  /** Resolves to undefined once the gate is shut; rejects with the signal's reason when that is aborted first. */
  readonly admit: (signal: AbortSignal) => Promise<Permit | undefined>;
  /** A permit if there is one at this moment. */
  readonly tryAdmit: () => Permit | undefined;
  readonly shut: () => void;
}

const FREE_PERMIT: Permit = { release: () => undefined };

export function createJobGate(clock: Clock, { firstPauseMs, longestPauseMs, probeLimitMs }: GateSettings): JobGate {
  const waiting = createPermitQueue<Permit>();
  let state: State = 'closed';
  let generation = 0;
  let pauseMs = firstPauseMs;
  let cancelTimer = (): void => undefined;

  function enter(next: State): void {
    cancelTimer();
    cancelTimer = () => undefined;
    state = next;
    generation += 1;
  }

  function trip(): void {
    enter('open');
    cancelTimer = clock.after(pauseMs, halfOpen);
    pauseMs = Math.min(pauseMs * 2, longestPauseMs);
  }

  function halfOpen(): void {
    enter('half_open');
    admitProbe();
  }

  function admitProbe(): void {
    if (state === 'half_open' && !waiting.isEmpty()) waiting.admitFirst(startProbe());
  }

  function startProbe(): Permit {
    enter('probing');
    const probeGeneration = generation;
    const endProbe = (): void => {
      if (generation === probeGeneration) halfOpen();
    };
    cancelTimer = clock.after(probeLimitMs, endProbe);
    return { release: endProbe };
  }

  return {
    state: () => state,
    generation: () => generation,
    startGeneration: () => (generation += 1),
    trip,
    reset: () => {
      enter('closed');
      pauseMs = firstPauseMs;
      waiting.admitAll(FREE_PERMIT);
    },
    admit: async (signal) => {
      signal.throwIfAborted();
      if (state === 'closed') return FREE_PERMIT;
      const permit = waiting.wait(signal);
      admitProbe();
      return permit;
    },
    tryAdmit: () => {
      if (state === 'closed') return FREE_PERMIT;
      return state === 'half_open' ? startProbe() : undefined;
    },
    shut: waiting.shut,
  };
}
