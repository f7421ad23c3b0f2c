import type { TestProject } from 'vitest/node';
import { ensureSleeperImage } from '../../demo/containers/sleeper-image.js';
import { startPrivateEngine, type PrivateEngine } from '../../scripts/services/engine.mjs';
import { createDocker } from '../../src/adapters/docker/connection.js';
import { startPostgres, type PostgresServer } from './postgres/postgres.js';

// Tells `inject` in the test files what there is.
declare module 'vitest' {
  export interface ProvidedContext {
    /** Superuser URL of a PostgreSQL 18 server that belongs to this run. */
    postgresUrl: string;
    /** Unix socket of a Docker engine that belongs to this run. */
    engineSocket: string;
    /** The folder where that engine keeps containers, layers and volumes. */
    engineDataRoot: string;
  }
}

type Stoppable = { readonly stop: () => Promise<void> };
type Services = { readonly postgres: PostgresServer; readonly engine: PrivateEngine };
type Shared = { users: number; services: Promise<Services> | undefined };

// Vitest loads this file once per project, so what is started once per run cannot live in the module.
const registry = globalThis as typeof globalThis & { [key: symbol]: Shared | undefined };
const KEY = Symbol.for('runtime-cleanup.test-services');
const shared: Shared = (registry[KEY] ??= { users: 0, services: undefined });

/** With the image of the tests' containers: a demo that finds none takes its own away again, also from the tests beside it. */
const startEngine = async (): Promise<PrivateEngine> => {
  const engine = await startPrivateEngine();
  try {
    await ensureSleeperImage(createDocker({ host: `unix://${engine.socketPath}` }));
    return engine;
  } catch (error) {
    await engine.stop();
    throw error;
  }
};

const startAll = async (): Promise<Services> => {
  const [postgres, engine] = await Promise.allSettled([startPostgres(), startEngine()]);
  if (postgres.status === 'fulfilled' && engine.status === 'fulfilled') {
    return { postgres: postgres.value, engine: engine.value };
  }
  const started: Stoppable[] = [postgres, engine].flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  await Promise.all(started.map((one) => one.stop()));
  const reasons = [postgres, engine].flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
  throw reasons.length === 1 ? reasons[0] : new AggregateError(reasons, reasons.map(String).join('\n'));
};

const stopAll = async (): Promise<void> => {
  const running = shared.services;
  shared.services = undefined;
  // A start that failed has stopped what it had started, and vitest has reported it.
  const started = await running?.catch(() => undefined);
  if (started !== undefined) await Promise.all([started.postgres.stop(), started.engine.stop()]);
};

/**
 * Starts the run's servers for the first project that asks. Teardown stops them when the last project is done; an
 * interrupted run has no teardown, and leaves that to each service's own tie to this process.
 */
export const setup = async (project: TestProject): Promise<void> => {
  shared.users += 1;
  shared.services ??= startAll();
  const { postgres, engine } = await shared.services;
  project.provide('postgresUrl', postgres.url);
  project.provide('engineSocket', engine.socketPath);
  project.provide('engineDataRoot', engine.dataRoot);
};

export const teardown = async (): Promise<void> => {
  shared.users -= 1;
  if (shared.users === 0) await stopAll();
};
