/**
 * The engines that records can name. A job takes a turn at one: its circuit breaker admits the job, a slot is free, and
 * its identity is confirmed. Where one of several engines cannot be used, its jobs give their slots in the worker back, so
 * that the jobs of the others go on:
 *
 * - silent, or the breaker is open: the job is held before it asks anything. Its watch alone asks the engine.
 * - no answer to the question who it is, or another engine: the job is held.
 * - all slots taken, and none given back for a moment: the job is held without a row. It would wait in one of the slots of
 *   the worker, and the jobs of an engine that has just begun to hang would soon wait in all of them.
 */
import type { Clock } from '../async/clock.js';
import type { Breaker } from '../circuit-breaker/breaker.js';
import type { Permit } from '../circuit-breaker/job-gate.js';
import type { ContainerEngine, Engines, EngineTurn, Held } from '../cleanup/ports.js';
import { messageOf, UnavailableError } from '../domain/errors.js';
import { createEvidence } from './evidence.js';
import { type EngineWatch, mismatchOf } from './engine-watch.js';
import type { ContainerLooks } from './engine-ports.js';
import { createHolds, HOLD_DEFAULTS, type HoldSettings } from './holds.js';
import { createSlots } from './slots.js';
import { createWatchedEngine } from './watched-engine.js';

/** One engine with what belongs to it alone. */
export interface ManagedEngine {
  readonly name: string;
  readonly engine: ContainerEngine;
  /** The same engine over a new connection for each request. */
  readonly fresh: Pick<ContainerEngine, 'look'>;
  /** Closes the connections that `engine` keeps open and does not use. */
  readonly reconnect: () => void;
  readonly watch: EngineWatch;
  readonly breaker: Pick<Breaker, 'tryAdmit' | 'startCall'>;
  /** The process has other engines too. */
  readonly hasSiblings: boolean;
}

interface Settings extends Partial<HoldSettings> {
  /** Most cleanups at a time for each engine. */
  readonly concurrency: number;
}

interface Deps {
  readonly engines: readonly ManagedEngine[];
  readonly looks: ContainerLooks;
  readonly clock: Clock;
}

export function createEngines(deps: Deps, { concurrency, ...given }: Settings): Engines {
  const settings = { concurrency, ...HOLD_DEFAULTS, ...given };
  const byName = new Map(deps.engines.map((managed) => [managed.name, turnsAt(managed, deps, settings)]));
  return { take: async (name, signal) => byName.get(name)?.(signal) };
}

type TakeTurn = (signal: AbortSignal) => Promise<EngineTurn | Held>;

/** A healthy engine gives a slot back in milliseconds. */
const SLOT_WAIT_MS = 500;

function turnsAt(managed: ManagedEngine, { looks, clock }: Deps, settings: Required<Settings>): TakeTurn {
  const { name, fresh, reconnect, watch, breaker, hasSiblings } = managed;
  const slots = createSlots(clock, { limit: settings.concurrency, waitMs: hasSiblings ? SLOT_WAIT_MS : undefined });
  const engine = createWatchedEngine({ ...managed, clock });
  const evidence = createEvidence({ name, fresh, reconnect, watch, looks });
  const holds = createHolds(name, clock, settings);

  async function takeWith(permit: Permit, signal: AbortSignal): Promise<EngineTurn | Held> {
    const releaseSlot = await slots.take(signal);
    if (releaseSlot === undefined) return holds.busy();
    try {
      const held = await whyUnusable();
      if (held === undefined) return turnWith({ engine, evidence, permit, releaseSlot });
      releaseSlot();
      return held;
    } catch (error) {
      releaseSlot();
      throw error;
    }
  }

  async function whyUnusable(): Promise<Held | undefined> {
    if (watch.state().kind !== 'confirmed') {
      const silent = await askIdentity();
      if (silent !== undefined) return holds.unusable('service_unavailable', messageOf(silent));
    }
    const mismatch = mismatchOf(name, watch.state());
    return mismatch === undefined ? undefined : holds.unusable('engine_mismatch', mismatch);
  }

  /** The breaker learns from it: the probe of a half-open one may get no further. */
  async function askIdentity(): Promise<UnavailableError | undefined> {
    const call = breaker.startCall('docker');
    try {
      await watch.check();
      call.answered();
      return undefined;
    } catch (error) {
      call.failed(error);
      if (hasSiblings && error instanceof UnavailableError && error.dependency === 'docker') return error;
      throw error;
    }
  }

  return async (signal) => {
    const isSilent = hasSiblings && watch.silence().aborted;
    const permit = isSilent ? undefined : breaker.tryAdmit();
    if (permit === undefined) return holds.unusable('service_unavailable', noAnswer(name));
    try {
      const turn = await takeWith(permit, signal);
      if (turn.outcome === 'held') permit.release();
      return turn;
    } catch (error) {
      permit.release();
      throw error;
    }
  };
}

const noAnswer = (name: string): string => `the engine ${JSON.stringify(name)} does not answer`;

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
