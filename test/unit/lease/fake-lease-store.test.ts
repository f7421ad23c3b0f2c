import { createManualClock } from '../../support/manual-clock.js';
import { leaseStoreContract } from '../../contract/lease/lease-store-contract.js';
import { createFakeLeaseStore } from './fake-lease-store.js';

leaseStoreContract('the fake', async () => {
  const clock = createManualClock();
  const store = createFakeLeaseStore(clock);
  return {
    store,
    remainingMs: async (gameId) => store.remainingMs(gameId),
    untilExpired: (gameId) => clock.advance(store.remainingMs(gameId)),
    close: async () => undefined,
  };
});
