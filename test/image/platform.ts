/** A platform brought up by the compose files, as by a user who has them, an `.env` and the image, and no source. */
import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';
import { createTestContainers, type TestContainers } from '../support/engine/test-containers.js';
import { type Ran, run, type RunOptions, runWell } from './command.js';
import { type Door, openDoor } from './door.js';

const PROJECT_FOLDER = fileURLToPath(new URL('../..', import.meta.url));
const ADDITIONS = { 'engine-proxy': 'docker-compose.engine-proxy.yml', engines: 'docker-compose.engines.yml' } as const;
const SHIPPED = ['docker-compose.yml', ...Object.values(ADDITIONS), 'deploy', '.env.example'];

export interface Platform {
  readonly folder: string;
  readonly containers: TestContainers;
  /** The API's port on the loopback of the engine's machine. */
  readonly door: Door;
  /** `docker …`; rejects unless it succeeds. */
  readonly docker: (args: readonly string[]) => Promise<string>;
  /** `docker compose …` in the platform's folder, likewise. */
  readonly compose: (args: readonly string[], more?: { readonly input?: string | Buffer }) => Promise<Ran>;
  /** The same; a failure does not reject. */
  readonly tryCompose: (args: readonly string[]) => Promise<Ran>;
  /** One value or row of the platform's database, by its own psql: columns separated by `|`. */
  readonly sql: (statement: string) => Promise<string>;
  /** Ids of a service's containers that are there, running or not. */
  readonly idsOf: (service: string) => Promise<readonly string[]>;
  /** Writes records of games that were stopped so many days ago, with a container each; resolves to game ids. */
  readonly stoppedGames: (prefix: string, count: number, daysAgo?: number) => Promise<readonly string[]>;
  /** Ends it with its volumes, and the games' containers. */
  readonly end: () => Promise<void>;
}

interface Options {
  /** The second compose file. */
  readonly add?: keyof typeof ADDITIONS;
  /** What the operator adds to the `.env`. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** What the compose file publishes where it is told nothing; a second platform of the run publishes the next. */
const PUBLIC_PORT = 8096;

const secret = (): string => randomBytes(24).toString('hex');

/** The example with everything filled in that is empty there. */
function filledIn(example: string, values: Readonly<Record<string, string>>): string {
  return example.replaceAll(/^([A-Z_]+)=$/gm, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`.env.example asks for ${name}, which this test does not set`);
    return `${name}=${value}`;
  });
}

export function createPlatform({ add, settings = {} }: Options = {}): Promise<Platform> {
  const environment = inject('dockerEnvironment');
  const socketPath = (environment['DOCKER_HOST'] ?? '').replace('unix://', '');
  const folder = mkdtempSync(join(inject('folder'), 'platform-'));
  for (const name of SHIPPED) cpSync(join(PROJECT_FOLDER, name), join(folder, name), { recursive: true });
  const token = secret();
  const env = filledIn(readFileSync(join(folder, '.env.example'), 'utf8'), {
    POSTGRES_PASSWORD: secret(),
    MIGRATOR_PASSWORD: secret(),
    WORKER_PASSWORD: secret(),
    API_PASSWORD: secret(),
    REDIS_PASSWORD: secret(),
    RTMANAGER_API_TOKENS: token,
    DOCKER_GID: String(statSync(socketPath).gid),
  });
  const port = PUBLIC_PORT + Number(process.env['VITEST_POOL_ID'] ?? 1) - 1;
  const more = Object.entries({ DOCKER_SOCKET: socketPath, API_PORT: String(port), ...settings }).map(
    ([name, value]) => `${name}=${value}\n`,
  );
  writeFileSync(join(folder, '.env'), `${env}${more.join('')}`);
  const files = add === undefined ? [] : ['--file', 'docker-compose.yml', '--file', ADDITIONS[add]];
  return openPlatform({ environment, folder }, { socketPath, token, port, files });
}

async function openPlatform(
  where: RunOptions,
  {
    socketPath,
    token,
    port,
    files,
  }: { readonly socketPath: string; readonly token: string; readonly port: number; readonly files: readonly string[] },
): Promise<Platform> {
  const containers = await createTestContainers(socketPath);
  const door = await openDoor({ enginePid: inject('enginePid'), folder: where.folder, token, port });
  const docker: Platform['docker'] = async (args) => (await runWell('docker', args, where)).stdout.trim();
  const runCompose: Platform['compose'] = (args, more) =>
    runWell('docker', ['compose', ...files, ...args], { ...where, ...more });
  /** The error of a start that failed has the last lines of each service, which say why. */
  const compose: Platform['compose'] = async (args, more) => {
    try {
      return await runCompose(args, more);
    } catch (error) {
      if (args[0] !== 'up') throw error;
      const { stdout } = await runCompose(['logs', '--no-color', '--tail=5']);
      throw new Error(`${String(error)}\n${stdout}`, { cause: error });
    }
  };

  const sql: Platform['sql'] = async (statement) => {
    const psql = ['psql', '--username=rtmanager', '--no-align', '--tuples-only', '--set=ON_ERROR_STOP=1'];
    return (await compose(['exec', '-T', 'postgres', ...psql], { input: statement })).stdout.trim();
  };

  const stoppedGames: Platform['stoppedGames'] = async (prefix, count, daysAgo = 0) => {
    const games: { readonly gameId: string; readonly containerId: string }[] = [];
    for (let number = 1; number <= count; number += 1) {
      const gameId = `${prefix}-${number}`;
      games.push({ gameId, containerId: await containers.make('created', { gameLabel: gameId }) });
    }
    const rows = games.map(({ gameId, containerId }) => `('${gameId}', '${containerId}')`).join(', ');
    await sql(
      `INSERT INTO runtime_records (game_id, status, current_container_id, stopped_at, last_op_at, created_at)
       SELECT game, 'stopped', container, since, since, since
       FROM (VALUES ${rows}) AS games (game, container), (SELECT now() - interval '${daysAgo} days' AS since) AS clock;`,
    );
    return games.map(({ gameId }) => gameId);
  };

  return {
    folder: where.folder,
    containers,
    door,
    docker,
    compose,
    tryCompose: (args) => run('docker', ['compose', ...files, ...args], where),
    sql,
    idsOf: async (service) => {
      const { stdout } = await compose(['ps', '--all', '--quiet', service]);
      return stdout.split('\n').filter((id) => id !== '');
    },
    stoppedGames,
    end: async () => {
      door.close();
      await compose(['down', '--volumes', '--timeout', '5', '--remove-orphans']);
      await containers.clear();
    },
  };
}
