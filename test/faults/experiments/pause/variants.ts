/** What other services do around a worker while it is frozen, and after it has thawed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createChanges } from '../../../support/changes.js';
import { eventually } from '../../../support/eventually.js';
import type { Broken } from '../../laboratory/checks.js';
import type { Done, Lifecycle } from '../../laboratory/lifecycle.js';
import type { NamedPoint } from '../../laboratory/points.js';
import { nowNs } from '../../laboratory/step-control.js';
import type { Site } from '../../laboratory/site.js';
import { isAbout } from '../../laboratory/game-history.js';
import { recordOf } from './checks.js';
import { PAUSE_POINTS } from './points.js';

/** One game whose worker is frozen. */
interface Scene {
  readonly site: Site;
  readonly lifecycle: Lifecycle;
  readonly point: NamedPoint;
  readonly gameId: string;
  readonly containerId: string;
  /** Waits until the worker was frozen for three times its lease, thaws it, and resolves when it has ended its job. */
  readonly thaw: () => Promise<void>;
}

export interface Variant {
  readonly name: string;
  readonly workers: number;
  readonly points: readonly NamedPoint[];
  /** The source of the cleanup request, and how long the game has been stopped. */
  readonly opSource: 'admin_rest' | 'auto_ttl';
  readonly stoppedDaysAgo: number;
  /** Resolves to what was wrong on the way; the job's end is waited for after it. */
  readonly play: (scene: Scene) => Promise<readonly Broken[]>;
}

const upTo = (name: string): readonly NamedPoint[] =>
  PAUSE_POINTS.slice(0, PAUSE_POINTS.findIndex((point) => point.name === name) + 1);

const expected = (check: string, holds: boolean, what: string): readonly Broken[] => (holds ? [] : [{ check, what }]);

const DONE_WITHIN_MS = 120_000;
const ASK_AGAIN_MS = 100;

/** As a service that repeats its request while another holder has the lease; resolves to the outcome. No event announces the release. */
const whenFree = (ask: () => Promise<Done>): Promise<Done> =>
  eventually(
    async () => {
      const done = await ask();
      if (done !== 'busy') return done;
      await sleep(ASK_AGAIN_MS);
      throw new Error('another holder had the lease all the time');
    },
    { withinMs: DONE_WITHIN_MS },
  );

/** As a service that repeats its request until it is done. */
const insistently = async (ask: () => Promise<Done>): Promise<void> => {
  while ((await whenFree(ask)) !== 'done') await sleep(ASK_AGAIN_MS);
};

/** The game was started while the worker was frozen: it must run on, until it is stopped. */
async function runsOn({ site, lifecycle, gameId }: Scene): Promise<readonly Broken[]> {
  const record = await recordOf(site, gameId);
  const state = await site.containers.stateOf(record?.containerId ?? 'none');
  await insistently(() => lifecycle.stop(gameId));
  return expected(
    'the started game runs on',
    record?.status === 'running' && state === 'running',
    `the record is ${record?.status ?? 'missing'}, the container ${state}`,
  );
}

const startedBy =
  (act: (lifecycle: Lifecycle, gameId: string) => Promise<Done>): Variant['play'] =>
  async (scene) => {
    await insistently(() => act(scene.lifecycle, scene.gameId));
    await scene.thaw();
    return runsOn(scene);
  };

/** A query that the worker sent right before it froze is answered after it has thawed: no check can come between. */
const TAKES_LATE = 'before the load';

async function heldAllTheWhile(scene: Scene): Promise<readonly Broken[]> {
  const { site, lifecycle, gameId, point, thaw } = scene;
  const found: Broken[] = [];
  const hold = (): Promise<Done> =>
    lifecycle.underLease(gameId, async ({ start, write }) => {
      const mine = await site.leases.holder(gameId);
      await thaw();
      found.push(...(await leaseStays(site, gameId, mine)));
      // The removal that a frozen worker has sent may still be under way; a container that goes cannot be started.
      const containerId = await eventually(start);
      await write({ status: 'running', containerId });
    });
  const done = await whenFree(hold);
  found.push(...expected('the holder writes', done === 'done' || point.name === TAKES_LATE, `its write was ${done}`));
  if (done !== 'done') await insistently(() => lifecycle.start(gameId));
  return [...found, ...(await runsOn(scene))];
}

/** The lease was neither renewed nor released by another holder: a third request for it is still refused. */
async function leaseStays(site: Site, gameId: string, holder: string | undefined): Promise<readonly Broken[]> {
  const now = await site.leases.holder(gameId);
  const third = await site.leases.take(gameId, 1_000);
  return expected(
    'the lease stays with its holder',
    holder !== undefined && now === holder && third === undefined,
    `${holder ?? 'no holder'} had it, ${now ?? 'no holder'} has it, a third party was ${third === undefined ? 'refused' : 'let in'}`,
  );
}

async function keptWhenNoLongerDue({ site, lifecycle, gameId, containerId, thaw }: Scene): Promise<readonly Broken[]> {
  await insistently(() => lifecycle.start(gameId));
  await insistently(() => lifecycle.stop(gameId));
  await thaw();
  const state = await site.containers.stateOf(containerId);
  const record = await recordOf(site, gameId);
  return expected(
    'what is no longer due is kept',
    state === 'exited' && record?.status === 'stopped',
    `the container is ${state}, the record ${record?.status ?? 'missing'}`,
  );
}

/** The second worker gets the job and is kept inside, looking at the container, while the first goes on. */
async function anotherInside({ site, gameId, containerId, thaw }: Scene): Promise<readonly Broken[]> {
  let letGo = (): void => undefined;
  const held = new Promise<void>((resolve) => (letGo = resolve));
  const changes = createChanges();
  let inside = false;
  site.engine.hook({
    onRequest: async ({ method, url }) => {
      if (inside || method !== 'GET' || !url.includes(containerId)) return;
      inside = true;
      changes.notify();
      await held;
    },
  });
  try {
    await changes.until(
      () => {
        if (!inside) throw new Error('the second worker did not get the job');
      },
      { withinMs: DONE_WITHIN_MS },
    );
    const holder = await site.leases.holder(gameId);
    await thaw();
    const stays = await leaseStays(site, gameId, holder);
    // On a machine where no process runs for seconds a lease expires as well.
    return isRenewing(site, gameId) ? stays : [];
  } finally {
    site.engine.hook({});
    letGo();
  }
}

const RENEWS_WITHIN_MS = 1_200;

const isRenewing = ({ stepControl }: Site, gameId: string): boolean =>
  stepControl
    .seen()
    .some(
      (seen) => seen.step === 'lease renew' && isAbout(seen, [gameId]) && nowNs() - seen.ns < RENEWS_WITHIN_MS * 1e6,
    );

const ADMIN = { workers: 1, points: PAUSE_POINTS, opSource: 'admin_rest', stoppedDaysAgo: 0 } as const;

export const VARIANTS: readonly Variant[] = [
  { ...ADMIN, name: 'game restarted', play: startedBy((lifecycle, gameId) => lifecycle.start(gameId)) },
  { ...ADMIN, name: 'game re-created', play: startedBy((lifecycle, gameId) => lifecycle.recreate(gameId)) },
  { ...ADMIN, name: 'lease held by another', play: heldAllTheWhile },
  {
    ...ADMIN,
    name: 'game restarted and stopped',
    opSource: 'auto_ttl',
    stoppedDaysAgo: 40,
    // From the check on the line before the removal on, the request is as good as sent.
    points: upTo('after the look'),
    play: keptWhenNoLongerDue,
  },
  // From the change of the record on there is nothing left that a second worker could be inside of.
  {
    ...ADMIN,
    name: 'second worker inside',
    workers: 2,
    points: upTo('before the compare-and-set'),
    play: anotherInside,
  },
];
