/**
 * Another service of the platform: it starts, stops, re-creates and renames the games' containers, and keeps their
 * records, under the same lease protocol as the cleanup. The rude one does not ask for the lease.
 */
import { randomBytes } from 'node:crypto';
import type { Site } from './site.js';

/** A request to the engine, kept so that unrequested changes can be recognised. */
export interface Asked {
  readonly containerId: string;
  readonly what: 'start' | 'stop' | 'remove' | 'rename';
  /** When it was asked; wall time, as the engine's events have. */
  readonly at: Date;
}

/** `busy`: another holder has the lease. `lost`: the record was written by another while we held the lease. */
export type Done = 'done' | 'busy' | 'lost' | 'no record';

export interface Lifecycle {
  /** Makes a game that was never started: a container and its record, `stopped` since so many days. */
  readonly create: (gameId: string, stoppedDaysAgo?: number) => Promise<string>;
  /** Starts the game: its container, or a new one where that is gone. */
  readonly start: (gameId: string) => Promise<Done>;
  readonly stop: (gameId: string) => Promise<Done>;
  /** Removes the game's container and starts it in a new one. */
  readonly recreate: (gameId: string) => Promise<Done>;
  /** Gives the game's container another name, even one that is another container's id. */
  readonly rename: (gameId: string, name?: string) => Promise<Done>;
  /** Does something under the game's lease; the fence is bumped before, and `work` gets the record as it was taken. */
  readonly underLease: (gameId: string, work: (taken: Taken) => Promise<void>) => Promise<Done>;
  /** Starts or stops the container of the record without lease, fence, or a word in the record. */
  readonly rudely: (what: 'start' | 'stop', gameId: string) => Promise<void>;
  readonly asked: () => readonly Asked[];
}

interface Taken {
  readonly status: string;
  readonly containerId: string | null;
  readonly fence: string;
  /** Starts the record's container, or a new one where that is gone; resolves to the one that runs. */
  readonly start: () => Promise<string>;
  /** Writes the record if no other holder has taken it since; throws `TakenByAnother` otherwise. */
  readonly write: (change: { readonly status: 'running' | 'stopped'; readonly containerId: string }) => Promise<void>;
}

/** The record was taken or changed by another while its lease was held: no service that follows the protocol does that. */
class TakenByAnother extends Error {
  override readonly name = 'TakenByAnother';
}

const TAKE = `
UPDATE runtime_records SET lease_epoch = lease_epoch + 1 WHERE game_id = $1
RETURNING status, current_container_id AS "containerId", lease_epoch::text AS fence`;

const WRITE = `
UPDATE runtime_records
SET status = $3, current_container_id = $4, last_op_at = now(),
    started_at = CASE WHEN $3 = 'running' THEN now() ELSE started_at END,
    stopped_at = CASE WHEN $3 = 'stopped' THEN now() ELSE NULL END,
    removed_at = NULL
WHERE game_id = $1 AND lease_epoch = $2::bigint`;

const INSERT = `
INSERT INTO runtime_records (game_id, status, current_container_id, stopped_at, last_op_at, created_at)
SELECT $1, 'stopped', $2, since, since, since FROM (SELECT now() - $3::float8 * interval '1 day' AS since) AS clock`;

export function createLifecycle({ db, containers, leases }: Pick<Site, 'db' | 'containers' | 'leases'>): Lifecycle {
  const { docker } = containers;
  const asked: Asked[] = [];

  const ask = async (containerId: string, what: Asked['what'], act: () => Promise<unknown>): Promise<void> => {
    asked.push({ containerId, what, at: new Date() });
    await act();
  };

  const newContainer = (gameId: string): Promise<string> =>
    containers.make('created', { gameLabel: gameId, create: { Cmd: ['/sleep'] } });
  const startContainer = (id: string): Promise<void> =>
    ask(id, 'start', () => docker.getContainer(id).start().catch(unlessStarted));
  // Nothing in it hears a signal, so it is killed at once.
  const stopContainer = (id: string): Promise<void> =>
    ask(id, 'stop', () => docker.getContainer(id).kill().catch(unlessNotRunning));
  const removeContainer = (id: string): Promise<void> =>
    ask(id, 'remove', () => docker.getContainer(id).remove({ force: true, v: true }).catch(unlessMissing));

  const startOrReplace = async (gameId: string, id: string | null): Promise<string> => {
    if (id !== null) {
      try {
        await startContainer(id);
        return id;
      } catch (error) {
        unlessMissing(error);
      }
    }
    const fresh = await newContainer(gameId);
    await startContainer(fresh);
    return fresh;
  };

  const underLease: Lifecycle['underLease'] = async (gameId, work) => {
    const token = await leases.take(gameId);
    if (token === undefined) return 'busy';
    try {
      const taken = (await db.query<Omit<Taken, 'start' | 'write'>>(TAKE, [gameId])).rows[0];
      if (taken === undefined) return 'no record';
      const write: Taken['write'] = async ({ status, containerId }) => {
        const { rowCount } = await db.query(WRITE, [gameId, taken.fence, status, containerId]);
        if (rowCount !== 1) throw new TakenByAnother(`the record of ${gameId} was taken while its lease was held`);
      };
      await work({ ...taken, start: () => startOrReplace(gameId, taken.containerId), write });
      return 'done';
    } catch (error) {
      if (error instanceof TakenByAnother) return 'lost';
      throw error;
    } finally {
      await leases.giveBack(gameId, token);
    }
  };

  return {
    create: async (gameId, stoppedDaysAgo = 0) => {
      const id = await newContainer(gameId);
      await db.query(INSERT, [gameId, id, stoppedDaysAgo]);
      return id;
    },
    start: (gameId) =>
      underLease(gameId, async ({ status, start, write }) => {
        if (status === 'running') return;
        await write({ status: 'running', containerId: await start() });
      }),
    stop: (gameId) =>
      underLease(gameId, async ({ status, containerId, write }) => {
        if (status !== 'running' || containerId === null) return;
        await stopContainer(containerId);
        await write({ status: 'stopped', containerId });
      }),
    recreate: (gameId) =>
      underLease(gameId, async ({ containerId, write }) => {
        if (containerId !== null) await removeContainer(containerId);
        const fresh = await newContainer(gameId);
        await startContainer(fresh);
        await write({ status: 'running', containerId: fresh });
      }),
    rename: (gameId, name = `renamed-${randomBytes(6).toString('hex')}`) =>
      underLease(gameId, async ({ containerId }) => {
        if (containerId === null) return;
        await ask(containerId, 'rename', () => docker.getContainer(containerId).rename({ name }).catch(unlessMissing));
      }),
    underLease,
    rudely: async (what, gameId) => {
      const found = 'SELECT current_container_id AS id FROM runtime_records WHERE game_id = $1';
      const id = (await db.query<{ id: string | null }>(found, [gameId])).rows[0]?.id;
      if (id === null || id === undefined) return;
      await (what === 'start' ? startContainer(id).catch(unlessMissing) : stopContainer(id).catch(unlessMissing));
    },
    asked: () => asked,
  };
}

const statusOf = (error: unknown): unknown =>
  error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;

const unlessMissing = (error: unknown): void => {
  if (statusOf(error) !== 404) throw error;
};

const unlessStarted = (error: unknown): void => {
  if (statusOf(error) !== 304) throw error;
};

const unlessNotRunning = (error: unknown): void => {
  if (statusOf(error) !== 404 && statusOf(error) !== 409) throw error;
};
