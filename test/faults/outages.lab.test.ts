/** A small part of the experiment: each dependency is unavailable for ten seconds under load, on the store that it concerns most. */
import { expect, test } from 'vitest';
import type { Store } from './experiment.js';
import { OUTAGE_KINDS } from './experiments/outages/outage-kinds.js';
import { startOwnServers } from './experiments/outages/own-servers.js';
import { runOutage } from './experiments/outages/run-outage.js';

const OUTAGE_MS = 10_000;
const GAMES = 30;

test.concurrent.each<readonly [string, Store]>([
  ['engine killed', 'redis'],
  ['PostgreSQL fails over', 'postgres'],
  ['Redis killed, its data lost', 'redis'],
  ['Redis fails over, old connections kept', 'redis'],
])(
  'an outage of ten seconds (%s) loses no job, floods no log and ends in a full recovery, on the %s queue',
  async (name, store) => {
    const absence = OUTAGE_KINDS.find((one) => one.name === name);
    if (absence === undefined) throw new Error(`no absence is named ${JSON.stringify(name)}`);
    const own = await startOwnServers();
    try {
      const { broken, said } = await runOutage(own, { absence, store, outageMs: OUTAGE_MS, games: GAMES });
      // The workers' last log lines are shown beside the violations.
      expect(broken.length === 0 ? [] : [...broken, ...said.slice(-40)]).toEqual([]);
    } finally {
      await own.stop();
    }
  },
);
