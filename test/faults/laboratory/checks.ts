/** What must be true of a game once its cleanup has succeeded, after any fault on the way. */
import { isSuccessRow, isTransition } from './promises.js';
import type { Site } from './site.js';

export interface Asked {
  readonly gameId: string;
  readonly containerId: string;
  readonly jobId: string;
}

/** A promise and how it was broken. */
export interface Broken {
  readonly check: string;
  readonly what: string;
}

/** Empty when all is well. */
export async function checkCleaned(site: Site, { gameId, containerId, jobId }: Asked): Promise<readonly Broken[]> {
  const [state, container, record, rows, holder, notes] = await Promise.all([
    site.jobs.state(jobId),
    site.containers.stateOf(containerId),
    statusOf(site, gameId),
    successRows(site, gameId),
    site.leases.holder(gameId),
    site.audit.notes(gameId),
  ]);
  const broken: Broken[] = [];
  const expect = (check: string, found: unknown, wanted: unknown): void => {
    if (found !== wanted) broken.push({ check, what: `${gameId}: ${String(found)} instead of ${String(wanted)}` });
  };
  expect('the job is completed', state, 'completed');
  expect('the container is gone', container, 'missing');
  expect('the record is removed', record, 'removed');
  expect('exactly one success row', rows.length, 1);
  expect('the row says who removed the container', rows[0]?.removal, 'removed');
  expect('the lease is free', holder, undefined);
  const transitions = notes.filter(isTransition);
  const written = notes.find(isSuccessRow);
  expect('one transition', transitions.length, 1);
  expect('transition and row in one transaction', written?.txid, transitions[0]?.txid);
  return broken;
}

const statusOf = async ({ db }: Site, gameId: string): Promise<string | undefined> =>
  (await db.query<{ status: string }>('SELECT status FROM runtime_records WHERE game_id = $1', [gameId])).rows[0]
    ?.status;

const SUCCESSES = `SELECT removal FROM operation_log WHERE game_id = $1 AND outcome = 'success' AND error_code = ''`;

const successRows = async ({ db }: Site, gameId: string): Promise<readonly { readonly removal: string }[]> =>
  (await db.query<{ removal: string }>(SUCCESSES, [gameId])).rows;
