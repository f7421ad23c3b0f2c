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
import type { EngineIdentity, EngineProbe, EngineRegistry } from './ports.js';

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
  /** The engine was silent twice in a row. */
  readonly silent: (engine: string, cause: UnavailableError) => void;
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

const CHECK_EVERY_MS = 5_000;
const RECHECK_MS = 500;
const SILENT_CHECKS = 2;

interface Deps {
  readonly engine: string;
  readonly probe: EngineProbe;
  readonly registry: Pick<EngineRegistry, 'seen' | 'forgetLooks'>;
  readonly report: WatchReport;
  readonly clock: Clock;
}

export function createEngineWatch({ engine, probe, registry, report, clock }: Deps): EngineWatch {
  let state: WatchState = { kind: 'unknown', why: 'it has not been asked yet' };
  let silentChecks = 0;
  let silence = new AbortController();
  /** The looks of before a broken call must be forgotten before the next confirmation. */
  let mustForget = false;
  let wake = (): void => undefined;

  // A caller that comes while a check runs gets the next one: the running one may have asked before the caller's look.
  const flights = createSingleFlight<Confirmation>();
  const check = (): Promise<Confirmation> => flights(engine, confirm, confirm);

  async function confirm(): Promise<Confirmation> {
    const answered = await identify();
    if (mustForget) {
      mustForget = false;
      await registry.forgetLooks(engine);
    }
    const { identity: stored } = await registry.seen(engine, answered);
    enter(
      isSameEngine(stored, answered) ? { kind: 'confirmed', identity: stored } : { kind: 'other', stored, answered },
    );
    return { stored, answered };
  }

  async function identify(): Promise<EngineIdentity> {
    try {
      const answered = await probe.identify(new AbortController().signal);
      silentChecks = 0;
      if (silence.signal.aborted) silence = new AbortController();
      return answered;
    } catch (error) {
      if (error instanceof UnavailableError && !(error instanceof EngineRefusalError)) noteSilence(error);
      throw error;
    }
  }

  function noteSilence(cause: UnavailableError): void {
    suspect(messageOf(cause));
    silentChecks += 1;
    if (silentChecks !== SILENT_CHECKS) return;
    silence.abort(cause);
    report.silent(engine, cause);
  }

  function suspect(why = 'a call got no answer'): void {
    mustForget = true;
    // An engine that was another one stays so until it has said otherwise.
    if (state.kind === 'confirmed') state = { kind: 'unknown', why };
    wake();
  }

  function enter(next: Exclude<WatchState, { kind: 'unknown' }>): void {
    const before = state;
    state = next;
    if (next.kind === 'other' && before.kind !== 'other') report.mismatch(engine, next);
    if (next.kind === 'confirmed' && before.kind === 'other') report.matched(engine, next.identity);
  }

  async function run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // A failure is in the state already, and the database's outage is reported by the calls of jobs.
      await check().catch(() => undefined);
      const woken = new AbortController();
      wake = () => woken.abort();
      const waitMs = state.kind === 'confirmed' ? CHECK_EVERY_MS : RECHECK_MS;
      await pause(clock, waitMs, AbortSignal.any([signal, ...(state.kind === 'confirmed' ? [woken.signal] : [])]));
      wake = () => undefined;
    }
  }

  return {
    state: () => state,
    check,
    suspect: () => suspect(),
    hasten: () => wake(),
    silence: () => silence.signal,
    run,
  };
}

/** Why jobs of the engine are held; undefined while they may run. */
export function mismatchOf(engine: string, state: WatchState): string | undefined {
  return state.kind === 'other' ? otherEngine(engine, state.stored, state.answered) : undefined;
}
