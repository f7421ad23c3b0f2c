import { createFakePlatform } from '../../support/fakes/platform.js';
import { holdsContract } from './holds-contract.js';

holdsContract('in memory', async () => {
  const { state, holds } = createFakePlatform();
  return {
    holds,
    now: async () => state.clock.now(),
    clear: async () => state.holds.clear(),
    close: async () => undefined,
  };
});
