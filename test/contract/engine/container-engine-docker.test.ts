import { inject } from 'vitest';
import { createContainerEngine } from '../../../src/adapters/docker/container-engine.js';
import { systemClock } from '../../../src/async/clock.js';
import { createTestContainers } from '../../support/engine/test-containers.js';
import { containerEngineContract } from './container-engine-contract.js';

containerEngineContract('of Docker', async () => {
  const containers = await createTestContainers(inject('engineSocket'));
  return {
    engine: createContainerEngine({ docker: containers.docker, clock: systemClock, timeoutMs: 30_000 }),
    make: (state, gameLabel) => containers.make(state, { gameLabel }),
    close: containers.clear,
  };
});
