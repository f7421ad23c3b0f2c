/** Every call of the engine ends in time with an answer or an outage, for every fault of the connection. */
import type { Experiment, Finding } from '../experiment.js';
import { callMatrix } from './engine-calls/matrix.js';
import { cutEverywhere } from './engine-calls/offsets.js';
import { faultyWorkers } from './engine-calls/worker.js';

export const engineCalls: Experiment = {
  name: 'engine-calls',
  about: 'faults of the connection to the engine, and its answers cut off at every byte',
  run: async (servers, options) => {
    const calls = await callMatrix(servers, options);
    const cuts = [
      ...(await cutEverywhere(servers, { ...options, stride: 1, end: 'fin' })),
      ...(await cutEverywhere(servers, { ...options, stride: 1, end: 'reset' })),
    ];
    const workers: Finding[] = [];
    for (const store of ['postgres', 'redis'] as const) {
      workers.push(...(await faultyWorkers(servers, { ...options, store })));
    }
    return [...calls, ...cuts, ...workers];
  },
};
