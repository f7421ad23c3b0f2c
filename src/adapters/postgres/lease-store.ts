import type { Pool } from 'pg';

import type { LeaseStore } from '../../lease/lease-store.js';

import { withUnavailable } from './failure.js';

// One statement each, by the database's clock alone. The life is counted from the statement's start (`now()`), which is
// after it was asked, so waiting for a row lock never makes a lease end before its holder's trust in it.
const NEW_END = `now() + $3::double precision * interval '1 millisecond'`;

const ACQUIRE = `
INSERT INTO game_leases AS held (game_id, token, expires_at, fence) VALUES ($1, $2, ${NEW_END}, 1)
ON CONFLICT (game_id) DO UPDATE
  SET token = excluded.token, expires_at = excluded.expires_at, fence = held.fence + 1
  WHERE held.expires_at <= now()`;

const RENEW = `
UPDATE game_leases SET expires_at = ${NEW_END}
WHERE game_id = $1 AND token = $2 AND expires_at > now()`;

// The row stays, so that the fence never goes back. The column keeps milliseconds and would round up into the future,
// where the next acquisition would still find it. A release need not reach the disk before it is answered: one that a
// crash of the server takes back leaves a lease that ends by itself.
const RELEASE = `
UPDATE game_leases SET expires_at = date_trunc('milliseconds', now())
WHERE game_id = $1 AND token = $2 AND expires_at > now() AND set_config('synchronous_commit', 'off', true) = 'off'`;

/** Game leases in the table `game_leases`. The pool's maker sets its time limits. */
export function createPostgresLeaseStore({ pool }: { readonly pool: Pool }): LeaseStore {
  // Named, so that each connection parses it once.
  const changesRow = (name: string, text: string, values: readonly unknown[]): Promise<boolean> =>
    withUnavailable(async () => (await pool.query({ name, text, values: [...values] })).rowCount === 1);
  return {
    acquire: (gameId, token, ttlMs) => changesRow('lease_acquire', ACQUIRE, [gameId, token, ttlMs]),
    renew: (gameId, token, ttlMs) => changesRow('lease_renew', RENEW, [gameId, token, ttlMs]),
    release: (gameId, token) => changesRow('lease_release', RELEASE, [gameId, token]),
  };
}
