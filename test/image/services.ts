/** An engine for the run, with a way out for builds; in it stand-ins for the public images, and the image. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { openInternetAccess } from '../../scripts/services/engine-network.mjs';
import { startPrivateEngine } from '../../scripts/services/engine.mjs';
import { buildStandIns, ensureCompose } from '../../scripts/services/stand-ins.mjs';
import { runWell } from './command.js';
import { reportOf, tell } from './report.js';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The environment in which `docker` and `docker compose` speak to the engine, and nothing that configures us. */
    dockerEnvironment: Readonly<Record<string, string>>;
    /** Process id of the engine: what is published is published in its network namespace. */
    enginePid: number;
    /** Where the run keeps its files. */
    folder: string;
  }
}

const PROJECT_FOLDER = fileURLToPath(new URL('../..', import.meta.url));
// The compose file wants them even for a build.
const ANY_SECRETS = {
  POSTGRES_PASSWORD: 'x',
  MIGRATOR_PASSWORD: 'x',
  WORKER_PASSWORD: 'x',
  API_PASSWORD: 'x',
  REDIS_PASSWORD: 'x',
  RTMANAGER_API_TOKENS: 'x',
  DOCKER_GID: '0',
};

const stops: (() => unknown)[] = [];

const withoutOurs = (environment: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      value === undefined || /^(RTMANAGER_|DATABASE_URL|REDIS_URL|NODE_|COMPOSE_|npm_)/.test(name)
        ? []
        : [[name, value] as const],
    ),
  );

async function start(project: TestProject): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'runtime-cleanup-image-'));
  stops.push(() => rmSync(folder, { recursive: true, force: true }));
  const engine = await startPrivateEngine();
  stops.push(engine.stop);
  const wayOut = await openInternetAccess({ pid: engine.pid(), socketPath: engine.socketPath });
  stops.push(wayOut.stop);
  const dockerHost = `unix://${engine.socketPath}`;
  await buildStandIns(dockerHost);
  const dockerEnvironment = withoutOurs(await ensureCompose(dockerHost));
  const { elapsedMs } = await runWell('docker', ['compose', 'build', 'migrate'], {
    environment: { ...dockerEnvironment, ...ANY_SECRETS },
    folder: PROJECT_FOLDER,
  });
  tell(folder, { what: 'image built, by docker compose build', result: `${(elapsedMs / 1_000).toFixed(0)} s` });
  project.provide('dockerEnvironment', dockerEnvironment);
  project.provide('enginePid', engine.pid());
  project.provide('folder', folder);
  stops.push(() => process.stdout.write(`\n${reportOf(folder)}\n`));
}

export const setup = async (project: TestProject): Promise<void> => {
  try {
    await start(project);
  } catch (error) {
    await teardown();
    throw error;
  }
};

export const teardown = async (): Promise<void> => {
  for (const stop of stops.splice(0).toReversed()) await stop();
};
