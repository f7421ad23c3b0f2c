import { CLEANUP_QUEUE, PREFIX, RETENTION_QUEUE } from '../../adapters/bullmq/names.js';
import {
  REDIS_QUEUE_COMMANDS,
  REDIS_QUEUE_COMMANDS_OUTSIDE_SCRIPTS,
} from '../../adapters/bullmq/store/redis-commands.js';
import { REDIS_LEASE_RIGHTS } from '../../adapters/redis/lease-store.js';
import {
  findMissingRight,
  type MissingRight,
  type NeededRights,
  type RightsClient,
} from '../../adapters/redis/rights.js';
import type { Config } from '../../config/config.js';
import { ConfigurationError } from '../../domain/errors.js';
import { parseRedisAddress } from '../../domain/redis-address.js';
import type { Context } from '../context.js';
import { waitForDependency } from '../wait-for-dependency.js';

const QUEUE_RIGHTS: readonly NeededRights[] = [
  {
    keyPrefix: `${PREFIX}:${CLEANUP_QUEUE}:`,
    commands: REDIS_QUEUE_COMMANDS,
    outsideScripts: REDIS_QUEUE_COMMANDS_OUTSIDE_SCRIPTS,
  },
  { keyPrefix: `${PREFIX}:${RETENTION_QUEUE}:`, commands: [] },
];

const COMMANDS = '-@all +@read +@write +@connection -@dangerous +eval +evalsha +info +multi +exec';

/** Refuses, with `ConfigurationError`, a user of Redis who may not do all that this process needs. */
export async function requireRedisRights(
  context: Context,
  redis: RightsClient,
  uses: 'queue' | 'leases',
): Promise<void> {
  const { config } = context;
  const needed = uses === 'queue' ? QUEUE_RIGHTS : [REDIS_LEASE_RIGHTS];
  const missing = await waitForDependency(context, 'Redis', () => findMissingRight(redis, needed));
  if (missing !== undefined) throw new ConfigurationError(refusalOf(missing, config));
}

/** One line with the user, what is missing, and the whole rule; the password is not touched by the rule. */
function refusalOf(missing: MissingRight, config: Pick<Config, 'redisUrl' | 'queueBackend' | 'leaseStore'>): string {
  const user = userOf(config.redisUrl);
  const what = missing.kind === 'keys' ? `the keys ${missing.pattern}` : `the command ${missing.command}`;
  const keys = [
    ...(config.queueBackend === 'redis' ? [`~${PREFIX}:*`] : []),
    ...(config.leaseStore === 'redis' ? [`~${REDIS_LEASE_RIGHTS.keyPrefix}*`] : []),
  ];
  return `Redis does not allow its user "${user}" ${what}; the whole rule: ACL SETUSER ${user} resetkeys ${keys.join(' ')} resetchannels ${COMMANDS}`;
}

function userOf(redisUrl: string | null): string {
  const address = parseRedisAddress(redisUrl ?? '');
  return (address.kind === 'invalid' ? undefined : address.login?.username) ?? 'default';
}
