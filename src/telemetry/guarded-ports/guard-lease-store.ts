import type { Dependency } from '../../domain/errors.js';
import type { LeaseStore } from '../../lease/lease-store.js';
import { type Guard, type GuardedCall, guardedCall } from './guarded-call.js';

/**
 * The same store; each call is a span and a step, each attempt to acquire is measured, and the breaker learns from
 * acquisitions and renewals. A release teaches it nothing: a store that has no memory left for another lease can still
 * delete one, so that a release succeeds while no job can run.
 *
 * @param dependency the system that the leases are kept in
 */
export function guardLeaseStore(store: LeaseStore, dependency: Dependency, guard: Guard): LeaseStore {
  const callOf = (action: keyof LeaseStore, gameId: string): GuardedCall<boolean> => ({
    step: `lease ${action}`,
    facts: { 'rtmanager.game_id': gameId },
    dependency: action === 'release' ? undefined : dependency,
    describe: (granted) => ({ 'rtmanager.lease.granted': granted }),
  });
  const measure = (elapsedMs: number, granted: boolean | undefined): void =>
    guard.metrics.recordLeaseAcquire(elapsedMs, granted === undefined ? 'failed' : granted ? 'acquired' : 'busy');

  return {
    acquire: (gameId, token, ttlMs) =>
      guardedCall(guard, { ...callOf('acquire', gameId), measure }, () => store.acquire(gameId, token, ttlMs)),
    renew: (gameId, token, ttlMs) =>
      guardedCall(guard, callOf('renew', gameId), () => store.renew(gameId, token, ttlMs)),
    release: (gameId, token) => guardedCall(guard, callOf('release', gameId), () => store.release(gameId, token)),
  };
}
