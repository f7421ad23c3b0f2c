/**
 * The engines that records can name. A job takes a turn at one: its identity is confirmed, its circuit breaker admits
 * the job, and a slot is free. Where one of several engines cannot be used, its jobs give their place in the worker back,
 * so that the jobs of the others go on.
 */
import type { Clock } from '../async/clock.js';
import type { Breaker } from '../circuit-breaker/breaker.js';
import type { ContainerEngine, Engines, EngineTurn, Held } from '../cleanup/ports.js';
import { EngineRefusalError, UnavailableError } from '../domain/errors.js';
import type { Permit } from '../circuit-breaker/job-gate.js';
import { createEvidence } from './evidence.js';
import { type EngineWatch, mismatchOf } from './engine-watch.js';
import type { ContainerLooks } from './engine-ports.js';
import { createSlots, type Slots } from './slots.js';

/** One engine with what belongs to it alone. */
export interface ManagedEngine {
  readonly name: string;
  readonly engine: ContainerEngine;
  /** The same engine over a new connection for each request. */
  readonly fresh: Pick<ContainerEngine, 'look'>;
  /** Closes the connections that `engine` keeps open and does not use. */
  readonly reconnect: () => void;
  readonly watch: EngineWatch;
  readonly breaker: Pick<Breaker, 'tryAdmit'>;
  /** The process has other engines too. */
  readonly hasSiblings: boolean;
}

interface Settings {
  /** Most cleanups at a time for each engine. */
  readonly concurrency: number;
  /** A held job comes back after this time. */
  readonly holdMs?: number;
}

const HOLD_MS = 5_000;

interface Deps {
  readonly engines: readonly ManagedEngine[];
  readonly looks: ContainerLooks;
  readonly clock: Clock;
}

export function createEngines(deps: Deps, { concurrency, holdMs = HOLD_MS }: Settings): Engines {
  const byName = new Map(
    deps.engines.map((managed) => [managed.name, turnsAt(managed, deps, { concurrency, holdMs })]),
  );
  return { take: async (name, signal) => byName.get(name)?.(signal) };
}

type TakeTurn = (signal: AbortSignal) => Promise<EngineTurn | Held>;

function turnsAt(managed: ManagedEngine, { looks, clock }: Deps, settings: Required<Settings>): TakeTurn {
  const { name, fresh, reconnect, watch, breaker } = managed;
  const slots: Slots = createSlots(settings.concurrency);
  const engine = watched(managed, clock);
  const evidence = createEvidence({ name, fresh, reconnect, watch, looks });
  const held = (errorCode: Held['errorCode'], errorMessage: string): Held => ({
    outcome: 'held',
    errorCode,
    errorMessage,
    retryInMs: settings.holdMs,
  });

  return async (signal) => {
    const permit = breaker.tryAdmit();
    if (permit === undefined) return held('service_unavailable', `the engine ${JSON.stringify(name)} does not answer`);
    try {
      if (watch.state().kind !== 'confirmed') await watch.check();
      const mismatch = mismatchOf(name, watch.state());
      if (mismatch !== undefined) {
        permit.release();
        return held('engine_mismatch', mismatch);
      }
      return turnWith({ engine, evidence, permit, releaseSlot: await slots.take(signal) });
    } catch (error) {
      permit.release();
      throw error;
    }
  };
}

interface TurnParts {
  readonly engine: ContainerEngine;
  readonly evidence: EngineTurn['evidence'];
  readonly permit: Permit;
  readonly releaseSlot: () => void;
}

const turnWith = ({ engine, evidence, permit, releaseSlot }: TurnParts): EngineTurn => ({
  outcome: 'granted',
  engine,
  evidence,
  release: () => {
    releaseSlot();
    permit.release();
  },
});

/** A call that takes longer makes the engine suspect: a healthy one answers in milliseconds. */
const SLOW_CALL_MS = 1_500;

/**
 * The same engine: a call without an answer makes its identity doubtful. Where there are other engines, no call outlasts
 * the engine's silence, so that its jobs give their places back.
 */
function watched({ engine, watch, hasSiblings }: ManagedEngine, clock: Clock): ContainerEngine {
  async function asked<Answer>(signal: AbortSignal, call: (signal: AbortSignal) => Promise<Answer>): Promise<Answer> {
    const cancel = hasSiblings ? clock.after(SLOW_CALL_MS, watch.hasten) : () => undefined;
    try {
      return await call(hasSiblings ? AbortSignal.any([signal, watch.silence()]) : signal);
    } catch (error) {
      // A refusal is an answer: the connection has not been broken.
      if (error instanceof UnavailableError && !(error instanceof EngineRefusalError)) watch.suspect();
      throw error;
    } finally {
      cancel();
    }
  }
  return {
    look: (containerId, signal) => asked(signal, (either) => engine.look(containerId, either)),
    remove: (containerId, signal) => asked(signal, (either) => engine.remove(containerId, either)),
    labelled: (gameId, signal) => asked(signal, (either) => engine.labelled(gameId, either)),
  };
}
