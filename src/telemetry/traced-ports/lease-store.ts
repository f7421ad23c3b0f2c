import type { LeaseStore } from '../../lease/lease-store.js';
import { inClientSpan } from './client-span.js';
import type { Telemetry } from '../telemetry.js';

/** The same store; each call is a span, each attempt to acquire is measured. */
export function observeLeaseStore(store: LeaseStore, { tracer, metrics, clock }: Telemetry): LeaseStore {
  const asked = (action: keyof LeaseStore, gameId: string, call: () => Promise<boolean>) =>
    inClientSpan(tracer, `lease ${action}`, { 'rtmanager.game_id': gameId }, async (span) => {
      const granted = await call();
      span.setAttribute('rtmanager.lease.granted', granted);
      return granted;
    });

  return {
    acquire: async (gameId, token, ttlMs) => {
      const startedMs = clock.monotonicMs();
      const elapsedMs = () => clock.monotonicMs() - startedMs;
      try {
        const granted = await asked('acquire', gameId, () => store.acquire(gameId, token, ttlMs));
        metrics.leaseAsked(elapsedMs(), granted ? 'acquired' : 'busy');
        return granted;
      } catch (thrown) {
        metrics.leaseAsked(elapsedMs(), 'failed');
        throw thrown;
      }
    },
    renew: (gameId, token, ttlMs) => asked('renew', gameId, () => store.renew(gameId, token, ttlMs)),
    release: (gameId, token) => asked('release', gameId, () => store.release(gameId, token)),
  };
}
