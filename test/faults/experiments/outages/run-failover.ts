/** One failover of Redis under load, until nothing is left to do, and the promises that it broke. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Service } from '../../../support/service.js';
import { openSite, type Site } from '../../laboratory/site.js';
import { makeGames, startLoad } from './load.js';
import type { Failover } from './outage-kinds.js';
import type { OwnServers } from './own-servers.js';
import { askAgainForWhatIsDue, atRest, burntAttempts, type Ending, saidBy, whatIsLost } from './run-outage.js';

const WORKERS = 2;
/** The master is replaced in the midst of these. */
const LOAD_MS = 4_000;
const BEGIN_AFTER_MS = 2_000;
/** Ten seconds from the failover, which itself takes about three, and the rest of the load. */
const DONE_WITHIN_MS = 30_000;

/** The recovery is counted from the end of the old master; one of half a minute means that a job was lost with it. */
export async function runFailover(own: OwnServers, { start }: Failover, games: number): Promise<Ending> {
  const redis = await start();
  const environment = { RTMANAGER_SWEEP_MAX_SHARE: '100%' };
  const site = await openSite({ ...own.servers, redisUrl: redis.url }, { store: 'redis', lane: 0, environment });
  try {
    return await failover(site, redis.begin, games);
  } finally {
    await site.close();
    await redis.stop();
  }
}

async function failover(site: Site, begin: () => Promise<void>, count: number): Promise<Ending> {
  const games = await makeGames(site, count);
  const workers: Service[] = [];
  while (workers.length < WORKERS) workers.push(await site.startWorker());
  const load = startLoad(site, games, LOAD_MS);
  await sleep(BEGIN_AFTER_MS);
  const begunMs = performance.now();
  await begin();
  await load.done;
  await atRest(site, DONE_WITHIN_MS);
  const recoveryMs = performance.now() - begunMs;
  const isDone = recoveryMs <= DONE_WITHIN_MS;
  // A job that the replica did not have is lost with the master; the record is still there.
  if (!isDone) {
    await askAgainForWhatIsDue(site);
    await atRest(site, DONE_WITHIN_MS);
  }
  const lost = await whatIsLost(site, load.accepted(), { losesJobs: !isDone });
  return {
    broken: lost,
    recoveryMs,
    restlessness: [],
    burnt: await burntAttempts(site),
    said: workers.flatMap(saidBy),
  };
}
