/** The database: written as other services of the platform do, and read to check the results. */
import type { Database } from '../../src/app/connect/database.js';
import { SLEEPER_IMAGE } from '../containers/sleeper-image.js';
import type { RecordPlan } from '../scenarios/scenario.js';
import type { RecordRow } from '../report/verdict.js';

type Pool = Database['pool'];

export interface Records {
  /** Writes a game's record like the service that stopped the game, and its retention hold. */
  readonly write: (gameId: string, plan: RecordPlan, containerId: string) => Promise<void>;
  /** Writes what a service that starts games writes. */
  readonly startAgain: (gameId: string) => Promise<void>;
  /** Writes the container's full id into the record. */
  readonly setContainerId: (gameId: string, containerId: string) => Promise<void>;
  readonly removedGames: () => Promise<readonly string[]>;
  readonly read: (gameId: string) => Promise<RecordRow | null>;
  /** The codes in the operation log for a game or for these jobs, oldest first. */
  readonly operations: (gameId: string, jobIds: readonly string[]) => Promise<readonly string[]>;
  /** Locks a record against every change until it is released. */
  readonly lock: (gameId: string) => Promise<RecordLock>;
}

interface RecordLock {
  /** Whether another transaction waits for the record now. */
  readonly hasWaiter: () => Promise<boolean>;
  readonly release: () => Promise<void>;
}

const WRITE = `
INSERT INTO runtime_records (
  game_id, status, current_container_id, current_image_ref, engine_endpoint, state_path, docker_network,
  started_at, stopped_at, removed_at, last_op_at, created_at
)
SELECT $1, $2, $3, $4, 'http://' || md5($1) || '.games.example', '/srv/games/' || md5($1), 'games',
  ended - interval '2 hours',
  CASE WHEN $2 <> 'running' THEN ended END,
  CASE WHEN $2 = 'removed' THEN ended + interval '1 hour' END,
  CASE WHEN $2 = 'removed' THEN ended + interval '1 hour' ELSE ended END,
  ended - interval '3 hours'
FROM (SELECT now() - $5::double precision * interval '1 day' AS ended) AS clock`;

const HOLD = `INSERT INTO retention_holds (game_id, reason, held_by) VALUES ($1, 'under review', 'demo')`;

export function createRecords(pool: Pool): Records {
  return {
    write: async (gameId, plan, containerId) => {
      const values = [gameId, plan.status, recordedId(plan, containerId), SLEEPER_IMAGE, plan.stoppedDaysAgo];
      // The hold comes first: a sweep may run at any moment.
      if (plan.held === 'by another service') await pool.query(HOLD, [gameId]);
      await pool.query(WRITE, values);
    },
    startAgain: async (gameId) => {
      await pool.query(
        `UPDATE runtime_records SET status = 'running', started_at = now(), stopped_at = NULL, last_op_at = now()
         WHERE game_id = $1`,
        [gameId],
      );
    },
    setContainerId: async (gameId, containerId) => {
      await pool.query('UPDATE runtime_records SET current_container_id = $2 WHERE game_id = $1', [
        gameId,
        containerId,
      ]);
    },
    removedGames: async () => {
      const { rows } = await pool.query<{ game_id: string }>(
        `SELECT game_id FROM runtime_records WHERE status = 'removed'`,
      );
      return rows.map(({ game_id: gameId }) => gameId);
    },
    read: async (gameId) => {
      const { rows } = await pool.query<{ record: RecordRow }>(
        'SELECT to_jsonb(r) AS record FROM runtime_records AS r WHERE game_id = $1',
        [gameId],
      );
      return rows[0]?.record ?? null;
    },
    operations: async (gameId, jobIds) => {
      // A request without a game id leaves a row without one; it is found by its job.
      const { rows } = await pool.query<{ error_code: string }>(
        `SELECT error_code FROM operation_log WHERE job_id = ANY($2) OR (game_id = $1 AND $1 <> '') ORDER BY id`,
        [gameId, jobIds],
      );
      return rows.map(({ error_code: code }) => code);
    },
    lock: (gameId) => lock(pool, gameId),
  };
}

function recordedId({ container }: RecordPlan, containerId: string): string | null {
  switch (container) {
    case 'full id':
      return containerId;
    case 'short id':
      return containerId.slice(0, 12);
    case 'none':
      return null;
  }
}

async function lock(pool: Pool, gameId: string): Promise<RecordLock> {
  const client = await pool.connect();
  const release = async (): Promise<void> => {
    // `true` closes the session, which ends its transaction.
    client.release(true);
  };
  try {
    await client.query('BEGIN');
    await client.query('SET LOCAL idle_in_transaction_session_timeout = 0');
    await client.query('SELECT FROM runtime_records WHERE game_id = $1 FOR UPDATE', [gameId]);
  } catch (error) {
    await release();
    throw error;
  }
  return {
    hasWaiter: async () => {
      const { rowCount } = await client.query(
        'SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))',
      );
      return (rowCount ?? 0) > 0;
    },
    release,
  };
}
