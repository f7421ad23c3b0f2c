/**
 * A circuit breaker before the door of the jobs. While something that every cleanup depends on is away, a job that runs
 * can only fail: it would leave a row, a log line and a longer wait behind it, and do so again. So claimed jobs are held
 * at the door; the others stay in the queue, untouched.
 *
 * - closed: nothing is away. Jobs pass.
 * - open: something is away. Jobs wait; a pause runs, longer each time.
 * - ready: the pause is over. The next job passes alone, as the probe.
 * - probing: the probe is under way. The others wait for what it meets.
 *
 * closed -> open when a dependency has failed so often in a row. probing -> open at the first failure of a call that
 * began since the probe passed. probing -> ready when the probe ends, or takes too long, without one. Any of them -> closed
 * when each dependency that was away has answered a call that began since it was found away.
 */
import type { Clock } from '../async/clock.js';
import { type Dependency, UnavailableError } from '../domain/errors.js';
import { type Outage, type Circuit, createCircuits } from './circuits.js';
import { createPermitQueue } from './permit-queue.js';

/** Told what happened; must not throw. */
export interface BreakerReport {
  /** A dependency is away: jobs wait from now on. */
  readonly opened: (dependency: Dependency, cause: UnavailableError) => void;
  /** It is still away, as another probe has found; told at most every `remindEveryMs`. */
  readonly stillOpen: (dependency: Dependency, awayMs: number, cause: UnavailableError) => void;
  /** It has answered. */
  readonly closed: (dependency: Dependency, awayMs: number) => void;
}

export interface BreakerSettings {
  /** Failures in a row, with no answer between them, that make a dependency count as away. */
  readonly threshold: number;
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  /** After so long another job may try, whatever became of the probe. */
  readonly probePatienceMs: number;
  readonly remindEveryMs: number;
}

const DEFAULTS: BreakerSettings = {
  threshold: 5,
  firstPauseMs: 1_000,
  longestPauseMs: 10_000,
  probePatienceMs: 30_000,
  remindEveryMs: 30_000,
};

/** What a job gets that may run. */
export interface Pass {
  /** To be called when the job has ended, however it did. */
  readonly leave: () => void;
}

export interface Breaker {
  /**
   * Resolves when a job may run, at once while nothing is away; to undefined when it will not be let in any more.
   * Rejects with the signal's reason when that is aborted before.
   */
  readonly admit: (signal: AbortSignal) => Promise<Pass | undefined>;
  /** Makes a call to a dependency, and learns from how it ends. An ending that is no `UnavailableError` teaches nothing. */
  readonly watch: <Answer>(dependency: Dependency, call: () => Promise<Answer>) => Promise<Answer>;
  /** Whether each dependency that was ever called is away. */
  readonly states: () => readonly { readonly dependency: Dependency; readonly away: boolean }[];
  /** Turns away whoever waits, and whoever would have to wait from now on. */
  readonly shut: () => void;
}

interface Deps {
  readonly clock: Clock;
  readonly report: BreakerReport;
}

type Door = 'closed' | 'open' | 'ready' | 'probing';

const FREE_PASS: Pass = { leave: () => undefined };

export function createBreaker({ clock, report }: Deps, settings: Partial<BreakerSettings> = {}): Breaker {
  const { threshold, firstPauseMs, longestPauseMs, probePatienceMs, remindEveryMs } = { ...DEFAULTS, ...settings };
  const circuits = createCircuits();
  const room = createPermitQueue<Pass>();
  let door: Door = 'closed';
  let pauseMs = firstPauseMs;
  let cancelTimer = (): void => undefined;
  /** Grows with each change of the door. A call that began in an earlier era tells of a state of things that is over. */
  let era = 0;

  function turn(to: Door): void {
    cancelTimer();
    cancelTimer = () => undefined;
    door = to;
    era += 1;
  }

  function open(): void {
    turn('open');
    cancelTimer = clock.after(pauseMs, makeReady);
    pauseMs = Math.min(pauseMs * 2, longestPauseMs);
  }

  function makeReady(): void {
    turn('ready');
    admitProbe();
  }

  function admitProbe(): void {
    if (door !== 'ready' || room.isEmpty()) return;
    turn('probing');
    const probeEra = era;
    const done = (): void => {
      if (era === probeEra) makeReady();
    };
    cancelTimer = clock.after(probePatienceMs, done);
    room.callFirst({ leave: done });
  }

  function close(): void {
    turn('closed');
    pauseMs = firstPauseMs;
    room.callAll(FREE_PASS);
  }

  function answered(circuit: Circuit, beganInEra: number): void {
    circuit.failures = 0;
    const { away } = circuit;
    if (away === undefined || beganInEra < away.era) return;
    circuit.away = undefined;
    report.closed(circuit.dependency, elapsedSince(away.sinceMs));
    if (circuits.noneAway()) close();
  }

  function failed(circuit: Circuit, beganInEra: number, cause: UnavailableError): void {
    // However many calls fail of those that an outage has caught, they tell of one outage.
    if (beganInEra !== era) return;
    circuit.failures += 1;
    if (circuit.away !== undefined) remind(circuit.dependency, circuit.away, cause);
    // Where one thing is away already, a single failure is enough: the probe cannot get any further.
    else if (door === 'probing' || circuit.failures >= threshold) findAway(circuit, cause);
    if (door === 'probing' || (door === 'closed' && !circuits.noneAway())) open();
  }

  function findAway(circuit: Circuit, cause: UnavailableError): void {
    const nowMs = clock.monotonicMs();
    era += 1;
    circuit.away = { sinceMs: nowMs, toldMs: nowMs, era };
    report.opened(circuit.dependency, cause);
  }

  function remind(dependency: Dependency, away: Outage, cause: UnavailableError): void {
    if (elapsedSince(away.toldMs) < remindEveryMs) return;
    away.toldMs = clock.monotonicMs();
    report.stillOpen(dependency, elapsedSince(away.sinceMs), cause);
  }

  /** A call that timed out on several systems counts against the one it was made to. */
  const circuitOf = ({ dependency }: UnavailableError, called: Dependency): Circuit =>
    circuits.of(dependency === 'unknown' ? called : dependency);
  const elapsedSince = (thenMs: number): number => Math.round(clock.monotonicMs() - thenMs);

  return {
    admit: async (signal) => {
      signal.throwIfAborted();
      if (door === 'closed') return FREE_PASS;
      const called = room.wait(signal);
      admitProbe();
      return called;
    },
    watch: async (dependency, call) => {
      const beganInEra = era;
      const circuit = circuits.of(dependency);
      try {
        const answer = await call();
        answered(circuit, beganInEra);
        return answer;
      } catch (thrown) {
        if (thrown instanceof UnavailableError) failed(circuitOf(thrown, dependency), beganInEra, thrown);
        throw thrown;
      }
    },
    states: () => circuits.all().map(({ dependency, away }) => ({ dependency, away: away !== undefined })),
    shut: room.shut,
  };
}
