/**
 * Whether the engine at an address is still the one that owns the containers of its records.
 *
 * - unknown: at the start, and after a broken call until the engine has said who it is. A job that needs it asks first.
 * - confirmed: the identity that is stored answered. Jobs run.
 * - other: another identity answers. Jobs are held, and nothing that this engine says is believed.
 *
 * The identity is checked at the start, right after a call that got no answer, after each answer "gone", and every five
 * seconds; twice a second while the engine is silent or another one. Two silent checks in a row are an outage.
 */
import { type Clock, pause } from '../async/clock.js';
import { createSingleFlight } from '../async/single-flight.js';
import { EngineRefusalError, messageOf, UnavailableError } from '../domain/errors.js';
import { isSameEngine, otherEngine } from './decide-gone.js';
import type { EngineIdentity, EngineProbe, EngineRegistry } from './engine-ports.js';

export interface Confirmation {
  readonly stored: EngineIdentity;
  readonly answered: EngineIdentity;
}

export type WatchState =
  | { readonly kind: 'unknown'; readonly why: string }
  | { readonly kind: 'confirmed'; readonly identity: EngineIdentity }
  | ({ readonly kind: 'other' } & Confirmation);

/** Receives the changes; must not throw. */
export interface WatchReport {
  /** Another engine answers: its jobs are held from now on. */
  readonly mismatch: (engine: string, found: Confirmation) => void;
  /** The right engine answers again, or the other one was accepted. */
  readonly matched: (engine: string, identity: EngineIdentity) => void;
  /** The engine was silent at least twice in a row; called at each such check. */
  readonly silent: (engine: string, cause: UnavailableError) => void;
  /** The engine has answered after that. */
  readonly answers: (engine: string) => void;
}

export interface EngineWatch {
  readonly state: () => WatchState;
  /**
   * Asks the engine who it is, and the database who it should be; the question is asked after this call. Callers at the
   * same time share one answer. Rejects with `UnavailableError` when one of the two does not answer.
   */
  readonly check: () => Promise<Confirmation>;
  /** A call got no answer: what the engine says next may come from another one. */
  readonly suspect: () => void;
  /** A call takes long: the next check is made at once. */
  readonly hasten: () => void;
  /** Aborted, with an `UnavailableError`, from the second silent check until the engine has answered again. */
  readonly silence: () => AbortSignal;
  /** Checks until the signal is aborted; never rejects. */
  readonly run: (signal: AbortSignal) => Promise<void>;
}

/** The pause after a check. */
const PAUSE_MS: Readonly<Record<WatchState['kind'], number>> = { confirmed: 5_000, unknown: 500, other: 500 };
const SILENT_CHECKS = 2;

interface Deps {
  readonly engine: string;
  readonly probe: EngineProbe;
  readonly registry: Pick<EngineRegistry, 'seen' | 'forgetLooks'>;
  readonly report: WatchReport;
  readonly clock: Clock;
}

export function createEngineWatch({ engine, probe, registry, report, clock }: Deps): EngineWatch {
  const silence = createSilence({
    onSilent: (cause) => report.silent(engine, cause),
    onAnswer: () => report.answers(engine),
  });
  let state: WatchState = { kind: 'unknown', why: 'it has not been asked yet' };
  /** Calls that got no answer; the looks of before the newest of them must be forgotten before a confirmation. */
  let doubts = 0;
  let forgotten = 0;
  let wake = (): void => undefined;

  // A caller that comes while a check runs gets the next one: the running one may have asked before the caller's look.
  const flights = createSingleFlight<Confirmation>();
  const check = (): Promise<Confirmation> => flights(engine, confirm, confirm);

  async function confirm(): Promise<Confirmation> {
    const asked = doubts;
    const answered = await identify();
    if (forgotten < asked) {
      await registry.forgetLooks(engine);
      forgotten = asked;
    }
    const { identity: stored } = await registry.seen(engine, answered);
    if (!isSameEngine(stored, answered)) enter({ kind: 'other', stored, answered });
    // A call that broke since the question may have broken because the engine was replaced.
    else if (doubts === asked) enter({ kind: 'confirmed', identity: stored });
    return { stored, answered };
  }

  async function identify(): Promise<EngineIdentity> {
    try {
      const answered = await probe.identify(new AbortController().signal);
      silence.ended();
      return answered;
    } catch (error) {
      if (isSilence(error)) {
        suspect(messageOf(error));
        silence.noted(error);
      } else silence.ended();
      throw error;
    }
  }

  function suspect(why: string): void {
    doubts += 1;
    // An engine that was another one stays so until it has said otherwise.
    if (state.kind !== 'confirmed') return;
    state = { kind: 'unknown', why };
    wake();
  }

  function enter(next: Exclude<WatchState, { kind: 'unknown' }>): void {
    const before = state;
    state = next;
    if (next.kind === 'other' && before.kind !== 'other') report.mismatch(engine, next);
    if (next.kind === 'confirmed' && before.kind === 'other') report.matched(engine, next.identity);
  }

  return {
    state: () => state,
    check,
    suspect: () => suspect('a call got no answer'),
    hasten: () => wake(),
    silence: silence.signal,
    run: (signal) =>
      repeat(check, { clock, signal, pauseOf: () => PAUSE_MS[state.kind], onPause: (end) => (wake = end) }),
  };
}

interface Repetition {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly pauseOf: () => number;
  /** Receives the function that ends the pause which begins now. */
  readonly onPause: (end: () => void) => void;
}

async function repeat(check: () => Promise<unknown>, { clock, signal, pauseOf, onPause }: Repetition): Promise<void> {
  while (!signal.aborted) {
    // A failure is in the state already, and an outage of the database is reported by the calls of jobs.
    await check().catch(() => undefined);
    const ended = new AbortController();
    onPause(() => ended.abort());
    await pause(clock, pauseOf(), AbortSignal.any([signal, ended.signal]));
  }
}

/** A refusal is an answer: the engine lives. */
const isSilence = (error: unknown): error is UnavailableError =>
  error instanceof UnavailableError && !(error instanceof EngineRefusalError);

interface SilenceReport {
  /** Called at the second check in a row without an answer, and at each one after it. */
  readonly onSilent: (cause: UnavailableError) => void;
  /** Called at the first answer after that. */
  readonly onAnswer: () => void;
}

/** Counts checks without an answer. */
function createSilence({ onSilent, onAnswer }: SilenceReport) {
  let checks = 0;
  let outage = new AbortController();
  return {
    noted: (cause: UnavailableError): void => {
      checks += 1;
      if (checks < SILENT_CHECKS) return;
      outage.abort(cause);
      onSilent(cause);
    },
    ended: (): void => {
      checks = 0;
      if (!outage.signal.aborted) return;
      outage = new AbortController();
      onAnswer();
    },
    signal: (): AbortSignal => outage.signal,
  };
}

/** Why jobs of the engine are held; undefined while they may run. */
export function mismatchOf(engine: string, state: WatchState): string | undefined {
  return state.kind === 'other' ? otherEngine(engine, state.stored, state.answered) : undefined;
}
