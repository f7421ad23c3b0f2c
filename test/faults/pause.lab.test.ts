/** A small part of the experiment: each variant at its most dangerous point. `npm run faults` tries them all. */
import { expect, inject, test } from 'vitest';
import { startRedis } from '../support/redis.js';
import type { Servers, Store } from './experiment.js';
import { pauseOn, pauseTries } from './experiments/pause.js';
import { unaskedEndings } from './laboratory/engine-ledger.js';
import { storyOf } from './table.js';

const LANES = 2;

const POINT_OF: Readonly<Record<string, string>> = {
  'game restarted': 'with the removal on its way',
  'game re-created': 'after the look',
  'lease held by another': 'before the compare-and-set',
  'game restarted and stopped': 'after the look',
  'second worker inside': 'before the compare-and-set',
};

const silent = (): void => undefined;

test.concurrent.each<Store>(['postgres', 'redis'])(
  'a worker that is frozen for three times its lease removes nothing wrong and writes nothing wrong afterwards, on %s',
  async (store) => {
    const redis = await startRedis();
    const servers: Servers = {
      postgresUrl: inject('postgresUrl'),
      engineSocket: inject('engineSocket'),
      redisUrl: redis.url,
    };
    const tries = pauseTries((variant, point) => POINT_OF[variant] === point, 1);
    try {
      const findings = await pauseOn(store, tries, servers, { lanes: LANES, seed: 1, say: silent });
      expect(findings.flatMap(({ violations }) => violations.map(storyOf))).toEqual([]);
      expect(findings.map(({ runs }) => runs)).toEqual([1, 1, 1, 1, 1]);
    } finally {
      await redis.stop();
    }
  },
);

const at = (ms: number): Date => new Date(1_000 + ms);
const event = (ms: number, action: string) => ({ at: at(ms), action, containerId: 'c', gameId: 'g' });

test.each<[string, readonly ReturnType<typeof event>[], number | undefined, readonly string[]]>([
  ['a stopped container that is removed', [event(0, 'create'), event(9, 'destroy')], undefined, []],
  ['a running one that is killed', [event(0, 'start'), event(9, 'kill'), event(9, 'die')], undefined, ['kill', 'die']],
  ['one that is killed as it was asked', [event(0, 'start'), event(9, 'kill'), event(9, 'die')], 5, []],
  ['one that was asked to stop before it was started again', [event(6, 'start'), event(9, 'die')], 5, ['die']],
  ['one that is gone while it runs', [event(0, 'start'), event(9, 'destroy')], undefined, ['destroy']],
])('the ledger finds an ending that was not requested: %s', (_name, events, askedAt, found) => {
  const asked = askedAt === undefined ? [] : [{ containerId: 'c', what: 'stop' as const, at: at(askedAt) }];
  expect(unaskedEndings(events, asked).map(({ action }) => action)).toEqual(found);
});
