/** Another engine at the address, or one that shows no containers: nothing is believed, and all goes on when it is right again. */
import { type PrivateEngine, startPrivateEngine } from '../../../scripts/services/engine.mjs';
import type { Experiment, Finding, Options, Servers, Store } from '../experiment.js';
import { changeEngine } from './engines/change-engine.js';
import { ENGINE_CHANGES, type EngineChange } from './engines/engine-changes.js';

const STORES: readonly Store[] = ['postgres', 'redis'];
const LINES_TOLD = 60;

export const engines: Experiment = {
  name: 'engines',
  about: 'another engine at the address, another storage driver, an empty data folder, and back',
  run: async (servers, options) => changeOn(STORES, ENGINE_CHANGES, servers, options),
};

/** Each change on each store, one after the other: each trial has an engine of its own, and stops it. */
export async function changeOn(
  stores: readonly Store[],
  changes: readonly EngineChange[],
  servers: Servers,
  { seed, say }: Pick<Options, 'seed' | 'say'>,
): Promise<readonly Finding[]> {
  const other = await startPrivateEngine();
  try {
    const findings: Finding[] = [];
    for (const change of changes) {
      for (const store of stores) findings.push(await find({ servers, other, seed }, change, store));
      say(`${change.name}: tried on ${stores.join(' and ')}`);
    }
    return findings;
  } finally {
    await other.stop();
  }
}

interface Around {
  readonly servers: Servers;
  readonly other: PrivateEngine;
  readonly seed: number;
}

async function find({ servers, other, seed }: Around, change: EngineChange, store: Store): Promise<Finding> {
  const { broken, recoveryMs, said } = await changeEngine(servers, other, { change, store, lane: 0 });
  const history = said.slice(-LINES_TOLD);
  return {
    fault: change.name,
    store,
    runs: 1,
    violations: broken.map(({ check, what }) => ({ check, what, seed, history })),
    recoveriesMs: [recoveryMs],
  };
}
