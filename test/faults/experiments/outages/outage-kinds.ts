/** The ways in which a dependency can become unavailable, and how it recovers. */
import { PREFIX } from '../../../../src/adapters/bullmq/names.js';
import { startRedisCluster, type TestCluster } from '../../../support/redis/cluster.js';
import { startRedisSentinels, type TestSentinels } from '../../../support/redis/sentinels.js';
import type { Store } from '../../experiment.js';
import type { Site } from '../../laboratory/site.js';
import type { RedisPair } from '../../../support/network/redis-pair.js';
import type { OwnServers } from './own-servers.js';

export interface Place {
  readonly site: Site;
  readonly own: OwnServers;
  /** Undefined where the kind does not ask for it. */
  readonly pair: RedisPair | undefined;
}

/** Several servers of Redis, of which one takes the place of another by itself. */
interface FailoverServers {
  readonly url: string;
  /** Ends or freezes the master of the queue; resolves at once. */
  readonly begin: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

export interface Outage {
  readonly name: string;
  readonly stores: readonly Store[];
  /** The queue is on a primary with a replica, whose roles can be swapped. */
  readonly needsPair?: true;
  /** Further settings of the workers. */
  readonly environment?: (own: OwnServers) => Readonly<Record<string, string>>;
  /** Before the workers start. */
  readonly prepare?: (own: OwnServers) => Promise<void>;
  readonly begin: (place: Place) => Promise<void> | void;
  readonly end: (place: Place) => Promise<void> | void;
  /** Jobs that had been accepted are gone with it. */
  readonly losesJobs?: true;
  /** The note that a removal comes next does not wait for the disk or a standby: without it the row says `already_gone`. */
  readonly losesNotes?: true;
}

export interface Failover {
  readonly name: string;
  readonly start: () => Promise<FailoverServers>;
}

const clusterThat = (begin: (cluster: TestCluster) => Promise<void>) => async (): Promise<FailoverServers> => {
  const cluster = await startRedisCluster();
  return { url: cluster.url, begin: () => begin(cluster), stop: cluster.stop };
};

const sentinelsThat = (begin: (sentinels: TestSentinels) => Promise<void>) => async (): Promise<FailoverServers> => {
  const sentinels = await startRedisSentinels();
  return { url: sentinels.url, begin: () => begin(sentinels), stop: sentinels.stop };
};

/** Each on servers of its own, which are of no use after it. */
export const FAILOVERS: readonly Failover[] = [
  { name: 'Redis Cluster, master killed', start: clusterThat(({ killMasterOf }) => killMasterOf(PREFIX)) },
  { name: 'Redis Cluster, master frozen', start: clusterThat(({ freezeMasterOf }) => freezeMasterOf(PREFIX)) },
  { name: 'Redis Cluster, master switched', start: clusterThat(({ switchMasterOf }) => switchMasterOf(PREFIX)) },
  { name: 'Redis Sentinel, master killed', start: sentinelsThat(({ killMaster }) => killMaster()) },
  { name: 'Redis Sentinel, master frozen', start: sentinelsThat(({ freezeMaster }) => freezeMaster()) },
  { name: 'Redis Sentinel, master switched', start: sentinelsThat(({ switchMaster }) => switchMaster()) },
];

const BOTH: readonly Store[] = ['postgres', 'redis'];

/** Past the proxy, which would answer in place of a killed engine. */
const straightToEngine: Outage['environment'] = ({ engine }) => ({ DOCKER_HOST: `unix://${engine.socketPath}` });

const redisLine = ({ lines }: Site): NonNullable<Site['lines']['redis']> => {
  if (lines.redis === undefined) throw new Error('there is no line to Redis at this site');
  return lines.redis;
};

const pairAt = ({ pair }: Place): RedisPair => {
  if (pair === undefined) throw new Error('there is no pair of Redis servers at this site');
  return pair;
};

/** A hosted service promotes the replica at once; the address leads to the new primary only at the end. */
const failover = (oldConnections: 'kept' | 'cut'): Outage => ({
  name: `Redis fails over, old connections ${oldConnections}`,
  stores: ['redis'],
  needsPair: true,
  begin: (place) => pairAt(place).failOver(),
  end: (place) => pairAt(place).switchAddress(oldConnections),
});

export const OUTAGE_KINDS: readonly Outage[] = [
  {
    name: 'engine killed',
    stores: BOTH,
    environment: straightToEngine,
    begin: ({ own }) => own.engine.kill(),
    end: ({ own }) => own.engine.restart(),
  },
  {
    name: 'engine frozen',
    stores: BOTH,
    environment: straightToEngine,
    begin: ({ own }) => void own.engine.signal('SIGSTOP'),
    end: ({ own }) => void own.engine.signal('SIGCONT'),
  },
  {
    name: 'engine behind a black hole',
    stores: BOTH,
    begin: ({ site }) => site.engine.use(() => ({ kind: 'hang' })),
    end: ({ site }) => site.engine.use(() => undefined),
  },
  {
    name: 'PostgreSQL killed',
    stores: BOTH,
    begin: ({ own }) => own.postgres.kill(),
    end: ({ own }) => own.postgres.restart(),
  },
  {
    name: 'PostgreSQL frozen',
    stores: BOTH,
    begin: ({ own }) => own.postgres.freeze(),
    end: ({ own }) => own.postgres.thaw(),
  },
  {
    name: 'PostgreSQL behind a black hole',
    stores: BOTH,
    begin: ({ site }) => site.lines.postgres.use('blackhole'),
    end: ({ site }) => site.lines.postgres.use('pass'),
  },
  {
    // Until its end the address leads to the old primary, which answers and can only be read. The connections that the
    // workers make in that time stay there when the address leads to the new one.
    name: 'PostgreSQL fails over',
    stores: BOTH,
    prepare: ({ postgres }) => postgres.addStandby(),
    begin: async ({ site, own }) => {
      site.lines.postgres.redirect(own.postgres.port());
      await own.postgres.demote();
    },
    end: async ({ site, own }) => {
      await own.postgres.promote();
      site.lines.postgres.redirect(own.postgres.port());
    },
    losesNotes: true,
  },
  {
    name: 'Redis killed',
    stores: ['redis'],
    begin: ({ own }) => own.redis.kill(),
    end: ({ own }) => own.redis.restart('kept'),
  },
  {
    name: 'Redis frozen',
    stores: ['redis'],
    begin: ({ own }) => void own.redis.signal('SIGSTOP'),
    end: ({ own }) => void own.redis.signal('SIGCONT'),
  },
  {
    name: 'Redis behind a black hole',
    stores: ['redis'],
    begin: ({ site }) => redisLine(site).use('blackhole'),
    end: ({ site }) => redisLine(site).use('pass'),
  },
  {
    name: 'Redis killed, its data lost',
    stores: ['redis'],
    begin: ({ own }) => own.redis.kill(),
    end: ({ own }) => own.redis.restart('lost'),
    losesJobs: true,
  },
  failover('kept'),
  failover('cut'),
  {
    name: 'Redis refuses writes',
    stores: ['redis'],
    needsPair: true,
    begin: (place) => pairAt(place).refuseWrites('begin'),
    end: (place) => pairAt(place).refuseWrites('end'),
  },
];
