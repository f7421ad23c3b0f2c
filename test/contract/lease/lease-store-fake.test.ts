import { createManualClock } from '../../support/manual-clock.js';
import { createFakeLeaseStore } from '../../unit/lease/fake-lease-store.js';
import { leaseStoreContract } from './lease-store-contract.js';

leaseStoreContract('in memory', async () => {
  const clock = createManualClock();
  const store = createFakeLeaseStore(clock);
  return {
    store,
    remainingMs: async (gameId) => store.remainingMs(gameId),
    untilExpired: (gameId) => clock.advance(store.remainingMs(gameId)),
    close: async () => undefined,
  };
});
