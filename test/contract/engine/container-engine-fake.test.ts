import { createFakeEngine } from '../../support/engine/fake-engine.js';
import type { TestContainerState } from '../../support/engine/test-containers.js';
import { containerEngineContract } from './container-engine-contract.js';

const activityIn = (state: TestContainerState) => (state === 'created' || state === 'exited' ? 'idle' : state);

containerEngineContract('in memory', async () => {
  const { engine, add } = createFakeEngine();
  return {
    engine,
    make: async (state, gameLabel) => add({ activity: activityIn(state), gameLabel }),
    close: async () => undefined,
  };
});
