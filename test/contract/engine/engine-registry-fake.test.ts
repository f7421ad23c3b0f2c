import { createFakePlatform } from '../../support/fakes/platform.js';
import { type EngineRegistryHarness, engineRegistryContract } from './engine-registry-contract.js';

engineRegistryContract('in memory', async () => {
  let { state, engines } = createFakePlatform();
  const harness: EngineRegistryHarness = {
    engines: {
      seen: (name, identity) => engines.seen(name, identity),
      forgetLooks: (name) => engines.forgetLooks(name),
      list: () => engines.list(),
      accept: (name, actor) => engines.accept(name, actor),
      named: () => engines.named(),
    },
    put: async (record) => void state.records.set(record.gameId, record),
    noteMissing: async (look) => engines.noteMissing(look),
    clear: async () => {
      ({ state, engines } = createFakePlatform());
    },
    close: async () => undefined,
  };
  return harness;
});
