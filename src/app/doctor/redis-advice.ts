import { redisOutageCode, type RedisOutageCode } from '../../adapters/redis-replies.js';

const CHECK_LOGIN =
  'check user and password in REDIS_URL: they may have been changed at the server. A worker that runs holds its jobs, and ' +
  'goes on when the old password is valid again, or when it is started anew with the new one';

/** The cure of each outage that Redis itself names. */
const ADVICE: Readonly<Record<RedisOutageCode, string>> = {
  READONLY:
    'set REDIS_URL to the address of the primary (on a hosted Redis: the primary endpoint). After a failover, wait until the ' +
    'address leads to the new primary; workers connect to it by themselves',
  MASTERDOWN:
    'set REDIS_URL to the address of the primary: the server at this address is a replica that has lost its primary',
  LOADING: 'wait until Redis has loaded its data; workers go on by themselves',
  UNBLOCKED: 'wait for the end of the failover; workers go on by themselves',
  NOREPLICAS:
    'start the replicas of this Redis, or lower min-replicas-to-write; if another server was promoted, set REDIS_URL to it',
  NOAUTH: CHECK_LOGIN,
  WRONGPASS: CHECK_LOGIN,
  MAXCLIENTS: 'raise maxclients of Redis, or close connections: "redis-cli CLIENT LIST" names them',
  CLUSTERDOWN: 'repair the Redis Cluster: "redis-cli --cluster check" names the slots that are not served',
  TRYAGAIN: 'wait until the slots of the Redis Cluster have been moved',
  BUSY: 'wait until the script in Redis ends, or end it with "redis-cli SCRIPT KILL"',
  OOM: 'raise maxmemory of Redis, or free memory; purged dead letters free some',
  MISCONF: 'Redis cannot write to its disk, so it refuses writes: free or repair the disk; its log has the reason',
  NOPERM: 'give the user of REDIS_URL the rights that the message names ("redis-cli ACL SETUSER")',
  DENIED: 'set a password for Redis, or let it listen where its protected mode allows it',
};

/** Undefined: the message quotes no refusal of Redis. */
export function redisAdvice(message: string): string | undefined {
  const code = redisOutageCode(message);
  return code === undefined ? undefined : ADVICE[code];
}
