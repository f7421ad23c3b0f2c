/** The site on which situations are provoked: a database, an engine behind a fault proxy, games, and rigs that use them. */
import type { Pool } from 'pg';
import { afterAll, afterEach, beforeAll, inject } from 'vitest';
import { createPool } from '../../../src/adapters/postgres/pool.js';
import type { Delivery } from '../../../src/jobs/delivery.js';
import { createMigratedDatabase, type TestDatabase } from '../../support/postgres/database.js';
import {
  type EngineFault,
  type EngineFaultProxy,
  startEngineFaultProxy,
} from '../../support/engine/engine-fault-proxy.js';
import {
  createTestContainers,
  type TestContainers,
  type TestContainerState,
} from '../../support/engine/test-containers.js';
import { openRig, type Rig, type RigOptions } from './rig.js';

type Job = Pick<Delivery, 'payload'>;

export interface Game {
  readonly gameId: string;
  readonly containerId: string;
  /** Asks for the cleanup as an administrator does; `over` changes the payload. */
  readonly job: (over?: Readonly<Record<string, unknown>>) => Job;
  readonly sweepJob: () => Job;
}

interface GameOptions {
  readonly state?: TestContainerState;
  /** Names the game; a new one is made up without it. */
  readonly gameId?: string;
  readonly label?: string;
  /** The program of the container, where the state's own will not do. */
  readonly program?: '/sleep';
  /** What the record says; null for no container. */
  readonly recordedId?: string | null;
  readonly status?: string;
}

export interface Site {
  /** The superuser's way to the database, past every fault. */
  readonly pool: Pool;
  readonly databaseUrl: string;
  readonly containers: TestContainers;
  readonly proxy: EngineFaultProxy;
  /** A rig on this site's database and proxy unless `over` names others; stopped with the site. */
  readonly rig: (over?: Partial<RigOptions>) => Promise<Rig>;
  /** A game with a container (created, unless `state` says otherwise) and a record that is stopped and long due. */
  readonly game: (options?: GameOptions) => Promise<Game>;
  /** A game whose record names an id that no container ever had. */
  readonly bareGame: (options?: GameOptions) => Promise<Game>;
  /** Another game with a container: what the engine says of others can be believed then. */
  readonly witness: () => Promise<Game>;
  readonly statusOf: (game: Game) => Promise<unknown>;
  readonly stop: () => Promise<void>;
}

let games = 0;

export async function openSite(openDatabase: () => Promise<TestDatabase> = createMigratedDatabase): Promise<Site> {
  const database = await openDatabase();
  const pool = createPool({ connectionString: database.url, applicationName: 'site', max: 6 }, () => undefined);
  const engineSocket = inject('engineSocket');
  const containers = await createTestContainers(engineSocket);
  const proxy = await startEngineFaultProxy({ engineSocket });
  const rigs: Rig[] = [];

  const game: Site['game'] = async ({ state = 'created', ...gameOptions } = {}) => {
    const gameId = gameOptions.gameId ?? `game-${(games += 1)}`;
    const create = gameOptions.program === undefined ? {} : { Cmd: [gameOptions.program] };
    const containerId = await containers.make(state, { gameLabel: gameOptions.label ?? gameId, create });
    return put(containerId, { ...gameOptions, gameId });
  };

  const put = async (containerId: string, options: GameOptions): Promise<Game> => {
    const { gameId = `game-${(games += 1)}`, recordedId = containerId, status = 'stopped' } = options;
    await pool.query(
      `INSERT INTO runtime_records (game_id, status, current_container_id, stopped_at, last_op_at, created_at)
       VALUES ($1, $2, $3, now() - interval '1 day', now() - interval '1 day', now() - interval '2 days')`,
      [gameId, status, recordedId],
    );
    return {
      gameId,
      containerId,
      job: (over = {}) => ({ payload: { gameId, opSource: 'admin_rest', ...over } }),
      sweepJob: () => ({ payload: { gameId, opSource: 'auto_ttl' } }),
    };
  };

  return {
    pool,
    databaseUrl: database.url,
    containers,
    proxy,
    rig: async (over = {}) => {
      const rig = await openRig({
        databaseUrl: database.url,
        dockerHost: `unix://${proxy.socketPath}`,
        loggedCodes: async (jobId, attempt) => {
          const { rows } = await pool.query<{ error_code: string }>(
            'SELECT error_code FROM operation_log WHERE job_id = $1 AND attempt = $2 ORDER BY id',
            [jobId, attempt],
          );
          return rows.map((row) => row.error_code);
        },
        ...over,
      });
      rigs.push(rig);
      return rig;
    },
    game,
    bareGame: (options = {}) => put('e'.repeat(64), options),
    witness: () => game(),
    statusOf: async ({ gameId }) => {
      const { rows } = await pool.query<{ status: string }>('SELECT status FROM runtime_records WHERE game_id = $1', [
        gameId,
      ]);
      return rows[0]?.status;
    },
    stop: async () => {
      await Promise.all(rigs.map((rig) => rig.stop()));
      await pool.end();
      await database.drop();
      await containers.clear();
      await proxy.close();
    },
  };
}

/** Registers the hooks of a file that needs one site and one rig; `use` gets them before the first test. */
export function useSite(use: (site: Site, rig: Rig) => void): void {
  let site: Site;
  beforeAll(async () => {
    site = await openSite();
    use(site, await site.rig());
  });
  afterEach(() => site.containers.clear());
  afterAll(() => site.stop());
}

/** What the proxy does to every request of one method. */
export const onEach =
  (method: 'GET' | 'DELETE', fault: EngineFault) =>
  (request: { readonly method: string }): EngineFault | undefined =>
    request.method === method ? fault : undefined;
