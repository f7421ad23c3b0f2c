/**
 * A circuit breaker in front of the job consumer. While a dependency of every cleanup is unavailable, each job would
 * fail: it would add a row to the operation log, a log line and a longer delay, and then fail again. So claimed jobs wait
 * at the gate (job-gate.ts has its states), and the other jobs stay in the queue.
 *
 * The breaker opens when one dependency has failed so often in a row, and at the first failure of a probe. It closes when
 * each unavailable dependency has answered a call that began after the dependency was found unavailable.
 */
import type { Clock } from '../async/clock.js';
import { type Dependency, EngineRefusalError, UnavailableError } from '../domain/errors.js';
import type { JobConsumer } from '../jobs/delivery.js';
import { type Circuit, createCircuits } from './circuits.js';
import { createJobGate, type GateSettings, type JobGate } from './job-gate.js';

/** Receives the changes; must not throw. */
export interface BreakerReport {
  /** A dependency is unavailable: jobs wait from now on. */
  readonly opened: (dependency: Dependency, cause: UnavailableError) => void;
  /** Another probe has found it still unavailable; reported at most every `remindEveryMs`. */
  readonly stillOpen: (dependency: Dependency, unavailableMs: number, cause: UnavailableError) => void;
  /** It has answered. */
  readonly closed: (dependency: Dependency, unavailableMs: number) => void;
}

export interface BreakerSettings extends GateSettings {
  /** Failures in a row, with no answer between them, after which a dependency counts as unavailable. */
  readonly threshold: number;
  readonly remindEveryMs: number;
}

const DEFAULTS: BreakerSettings = {
  threshold: 5,
  firstPauseMs: 1_000,
  longestPauseMs: 10_000,
  probeLimitMs: 30_000,
  remindEveryMs: 30_000,
};

/** A call to a dependency that is under way; exactly one of the members is to be called when it has ended. */
interface WatchedCall {
  readonly answered: () => void;
  /** A refusal is an answer. An error other than an `UnavailableError` (an abort, a bug) says nothing. */
  readonly failed: (thrown: unknown) => void;
}

interface CircuitState {
  readonly dependency: Dependency;
  /** The dependency is unavailable, and jobs wait for it. */
  readonly isOpen: boolean;
}

export interface Breaker {
  /**
   * Resolves when a job may run, at once while each dependency answers; to undefined when the breaker admits no more jobs.
   * Rejects with the signal's reason when that is aborted first.
   */
  readonly admit: JobGate['admit'];
  /** A permit if a job may run at this moment. */
  readonly tryAdmit: JobGate['tryAdmit'];
  /** The dependency is found unavailable by another way than the calls of jobs. */
  readonly outage: (cause: UnavailableError & { readonly dependency: Dependency }) => void;
  /** To be called right before a call to a dependency, so that the breaker learns how the call ends. */
  readonly startCall: (dependency: Dependency) => WatchedCall;
  /** The state of each dependency that was called before. */
  readonly states: () => readonly CircuitState[];
  /** Ends all waits of `admit`, and admits no job that would have to wait. */
  readonly shut: () => void;
}

interface Deps {
  readonly clock: Clock;
  readonly report: BreakerReport;
}

export function createBreaker({ clock, report }: Deps, settings: Partial<BreakerSettings> = {}): Breaker {
  const { threshold, remindEveryMs, ...gateSettings } = { ...DEFAULTS, ...settings };
  const circuits = createCircuits();
  const gate = createJobGate(clock, gateSettings);
  const elapsedSince = (thenMs: number): number => Math.round(clock.monotonicMs() - thenMs);

  function answered(circuit: Circuit, generation: number): void {
    circuit.failures = 0;
    const { outage } = circuit;
    if (outage === undefined || generation < outage.generation) return;
    circuit.outage = undefined;
    report.closed(circuit.dependency, elapsedSince(outage.sinceMs));
    if (circuits.allClosed()) gate.reset();
  }

  function failed(circuit: Circuit, generation: number, cause: UnavailableError): void {
    // However many calls fail of those that an outage has caught, they report one and the same outage.
    if (generation !== gate.generation()) return;
    circuit.failures += 1;
    const isProbe = gate.state() === 'probing';
    if (circuit.outage !== undefined) remind(circuit, cause);
    // While another dependency is unavailable, one failure is enough: the probe cannot get any further.
    else if (isProbe || circuit.failures >= threshold) beginOutage(circuit, cause);
    if (isProbe || (gate.state() === 'closed' && !circuits.allClosed())) gate.trip();
  }

  function beginOutage(circuit: Circuit, cause: UnavailableError): void {
    const nowMs = clock.monotonicMs();
    circuit.outage = { sinceMs: nowMs, reportedMs: nowMs, generation: gate.startGeneration() };
    report.opened(circuit.dependency, cause);
  }

  function remind({ dependency, outage }: Circuit, cause: UnavailableError): void {
    if (outage === undefined || elapsedSince(outage.reportedMs) < remindEveryMs) return;
    outage.reportedMs = clock.monotonicMs();
    report.stillOpen(dependency, elapsedSince(outage.sinceMs), cause);
  }

  return {
    admit: gate.admit,
    tryAdmit: gate.tryAdmit,
    outage: (cause) => {
      const circuit = circuits.of(cause.dependency);
      if (circuit.outage !== undefined) {
        remind(circuit, cause);
        return;
      }
      beginOutage(circuit, cause);
      if (gate.state() !== 'open') gate.trip();
    },
    startCall: (called) => {
      const generation = gate.generation();
      const circuit = circuits.of(called);
      return {
        answered: () => answered(circuit, generation),
        failed: (thrown) => {
          if (thrown instanceof EngineRefusalError) answered(circuit, generation);
          if (!(thrown instanceof UnavailableError) || thrown instanceof EngineRefusalError) return;
          // A call that timed out on several systems counts against the one it was made to.
          const { dependency } = thrown;
          failed(dependency === 'unknown' ? circuit : circuits.of(dependency), generation, thrown);
        },
      };
    },
    states: () => circuits.all().map(({ dependency, outage }) => ({ dependency, isOpen: outage !== undefined })),
    shut: gate.shut,
  };
}

/** The same consumer behind the breaker's gate; a job that is not admitted goes back to the queue unchanged. */
export function gateJobs(consumer: JobConsumer, breaker: Pick<Breaker, 'admit'>): JobConsumer {
  return {
    consume: async (delivery, signal) => {
      const permit = await breaker.admit(signal);
      if (permit === undefined) return { action: 'hand_back' };
      try {
        return await consumer.consume(delivery, signal);
      } finally {
        permit.release();
      }
    },
  };
}
