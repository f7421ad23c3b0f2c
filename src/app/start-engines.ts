import { identifyEngine, reconnect } from '../adapters/docker/connection.js';
import { createContainerEngine } from '../adapters/docker/container-engine.js';
import { type Breaker, gateJobs } from '../circuit-breaker/breaker.js';
import type { Engines } from '../cleanup/ports.js';
import { pause } from '../async/clock.js';
import { type Dependency, messageOf } from '../domain/errors.js';
import { describeIdentity, otherEngine } from '../engines/decide-gone.js';
import { createEngineWatch, type WatchReport } from '../engines/engine-watch.js';
import { createEngines, type ManagedEngine } from '../engines/engines.js';
import { createMismatchGate, type MismatchGate } from '../engines/mismatch-gate.js';
import type { JobConsumer } from '../jobs/delivery.js';
import { guardEngine } from '../telemetry/guarded-ports/guard-engine.js';
import type { Telemetry } from '../telemetry/metrics.js';
import type { Database } from './connect/database.js';
import { greetEngine, type NamedEngine, namedEngines } from './connect/engine.js';
import type { Context } from './context.js';
import { openBreaker } from './open-breaker.js';
import type { ShutdownStack } from './shutdown-stack.js';

interface Parts {
  readonly database: Pick<Database, 'engines' | 'looks'>;
  readonly telemetry: Telemetry;
  /** Watches the stores, and the engine where there is only one. */
  readonly breaker: Breaker;
}

/** Whether jobs wait because the engine does not answer; undefined: this process does not use the engine. */
export type BreakerView = (engine: string) => boolean | undefined;

export interface StartedEngines {
  readonly engines: Engines;
  /** The same consumer; jobs wait where no engine can be used. */
  readonly gate: (consumer: JobConsumer) => JobConsumer;
  readonly isBreakerOpen: BreakerView;
  /** Ends the waits of jobs, which go back to the queue. */
  readonly shut: () => void;
}

/** An engine that takes longer to say who it is counts as silent; the answer takes it milliseconds. */
const IDENTIFY_LIMIT_MS = 1_500;
const FORGET_EVERY_MS = 3_600_000;

/** Greets the engines, begins to watch them, and lets cleanups use them. */
export async function startEngines(context: Context, parts: Parts, closing: ShutdownStack): Promise<StartedEngines> {
  const { config, clock } = context;
  const { database, breaker } = parts;
  const named = namedEngines(config);
  const hasSiblings = named.length > 1;
  const mismatches = createMismatchGate();
  const breakers = new Map<string, Breaker>();
  const engines: ManagedEngine[] = [];
  for (const engine of named) {
    await greetEngine(context, engine);
    engines.push(await startEngine(context, engine, { ...parts, hasSiblings, mismatches, breakers }, closing));
  }
  keepRunning('deletion of old looks', (signal) => forgetOldLooks(context, database, signal), closing);
  return {
    engines: createEngines({ engines, looks: database.looks, clock }, { concurrency: config.engineConcurrency }),
    gate: (consumer) => (hasSiblings ? consumer : gateJobs(consumer, mismatches)),
    isBreakerOpen: (name) => isEngineOpen(breakers.get(name)),
    shut: () => {
      mismatches.shut();
      breaker.shut();
    },
  };
}

/** A dependency that has not been called yet has no state, and its breaker is closed. */
const isEngineOpen = (breaker: Breaker | undefined): boolean | undefined =>
  breaker?.states().some(({ dependency, isOpen }) => dependency === 'docker' && isOpen);

interface EngineParts extends Parts {
  readonly breakers: Map<string, Breaker>;
  readonly hasSiblings: boolean;
  readonly mismatches: MismatchGate;
}

async function startEngine(
  context: Context,
  { name, connect }: NamedEngine,
  { database, telemetry, hasSiblings, mismatches, breakers, ...shared }: EngineParts,
  closing: ShutdownStack,
): Promise<ManagedEngine> {
  const { config, clock } = context;
  const docker = connect();
  const prober = connect({ connections: 'fresh' });
  const breaker = hasSiblings
    ? openBreaker(context, { metrics: telemetry.metrics, engine: name }, closing)
    : shared.breaker;
  breakers.set(name, breaker);
  const timeoutMs = Math.min(IDENTIFY_LIMIT_MS, config.dockerTimeoutMs);
  const watch = createEngineWatch({
    engine: name,
    probe: { identify: (signal) => identifyEngine({ docker: prober, clock, timeoutMs, signal }) },
    registry: database.engines,
    report: reportOf(context, breaker, mismatches),
    clock,
  });
  keepRunning(`watch of the engine ${name}`, watch.run, closing);
  const limits = { clock, timeoutMs: config.dockerTimeoutMs };
  return {
    name,
    engine: guardEngine(createContainerEngine({ docker, ...limits }), { ...telemetry, breaker }),
    fresh: createContainerEngine({ docker: prober, ...limits }),
    reconnect: () => reconnect(docker),
    watch,
    // Where there is one engine, the job has passed its breaker before it was started.
    breaker: hasSiblings ? breaker : { tryAdmit: () => FREE_PERMIT, startCall: breaker.startCall },
    hasSiblings,
  };
}

const FREE_PERMIT = { release: () => undefined };

function keepRunning(what: string, run: (signal: AbortSignal) => Promise<void>, closing: ShutdownStack): void {
  const stopping = new AbortController();
  const running = run(stopping.signal);
  closing.add(what, async () => {
    stopping.abort();
    await running;
  });
}

function reportOf({ log }: Context, breaker: Breaker, gate: MismatchGate): WatchReport {
  return {
    mismatch: (engine, { stored, answered }) => {
      gate.hold();
      log.error(
        { engine, stored, answered },
        `${otherEngine(engine, stored, answered)}; until then its cleanups are held and nothing is believed that it says`,
      );
    },
    matched: (engine, identity) => {
      gate.lift();
      log.info({ engine, identity }, `the engine answers that owns the containers: ${describeIdentity(identity)}`);
    },
    silent: (_engine, cause) => {
      if (isOfDependency(cause)) breaker.outage(cause);
    },
    answers: () => breaker.startCall('docker').answered(),
  };
}

type Outage = Parameters<Breaker['outage']>[0];
const isOfDependency = (cause: { readonly dependency: Dependency | 'unknown' }): cause is Outage =>
  cause.dependency !== 'unknown';

async function forgetOldLooks(
  { clock, log }: Context,
  { looks }: Pick<Database, 'looks'>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await looks
      .forgetOld()
      .catch((error: unknown) => log.debug({ reason: messageOf(error) }, 'old looks could not be deleted'));
    await pause(clock, FORGET_EVERY_MS, signal);
  }
}
