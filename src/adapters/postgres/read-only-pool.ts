import { BoundedPool } from './bounded-pool.js';
import { poolOptions, type PoolSettings } from './pool.js';

/** A pool whose transactions the server itself holds to reading: what would write is refused by it, not by our care. */
export function createReadOnlyPool(settings: PoolSettings, onIdleError: (error: Error) => void): BoundedPool {
  const { options = '', ...rest } = poolOptions(settings);
  const pool = new BoundedPool({ ...rest, options: `${options} -c default_transaction_read_only=on` });
  pool.on('error', onIdleError);
  return pool;
}
