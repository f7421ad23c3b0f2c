/**
 * What an error reply of Redis says about the server. The lease store, the queue's store and the diagnosis ask this one
 * table, because adapters must not import each other.
 */

/**
 * `new connection`: the server behind this connection refuses writes, and after a failover the same address may lead to
 * another one, so the connection must be closed and made anew.
 * `wait`: the right server answers, and may carry out the same request later on the same connection.
 */
type Cure = 'new connection' | 'wait';

/** The code that an error reply begins with, of those that mean an outage. */
export type RedisOutageCode = keyof typeof CURES;

const CURES = {
  // A read-only replica. The primary became one, if it answered before.
  READONLY: 'new connection',
  // A replica without a primary, which `replica-serve-stale-data no` forbids to answer.
  MASTERDOWN: 'new connection',
  // On a connection that was ready: only a replica that copies its primary loads data while it runs.
  LOADING: 'new connection',
  // A blocking command was ended because the primary became a replica.
  UNBLOCKED: 'new connection',
  // `min-replicas-to-write`: with it a primary that was cut off refuses writes while another one is promoted.
  NOREPLICAS: 'new connection',
  // Only a new connection logs in.
  NOAUTH: 'new connection',
  WRONGPASS: 'new connection',
  // The server closes such a connection itself.
  MAXCLIENTS: 'new connection',
  CLUSTERDOWN: 'wait',
  TRYAGAIN: 'wait',
  BUSY: 'wait',
  OOM: 'wait',
  MISCONF: 'wait',
  // A changed rule is valid at once for the connections of the user.
  NOPERM: 'wait',
  DENIED: 'wait',
} as const satisfies Record<string, Cure>;

/** Refusals whose first word is "ERR". */
const WITHOUT_CODE: readonly (readonly [text: RegExp, code: RedisOutageCode])[] = [
  [/max number of clients/, 'MAXCLIENTS'],
  [/The user executing the script can't|ACL failure in script/, 'NOPERM'],
];

/**
 * The reply's code: at the start, or quoted behind a colon, as by EXEC ("EXECABORT Transaction discarded because of:
 * READONLY …"), by the scripts of Redis 6 ("ERR Error running script (…): @user_script:1: -READONLY …") and by this
 * program's own messages.
 */
const CODE = /(?:^|: -?)([A-Z]+) /g;

const isOutageCode = (word: string): word is RedisOutageCode => Object.hasOwn(CURES, word);

/** Undefined: the reply is about the request, not about the server. */
export function redisOutageCode(message: string): RedisOutageCode | undefined {
  for (const [, word = ''] of message.matchAll(CODE)) if (isOutageCode(word)) return word;
  return WITHOUT_CODE.find(([text]) => text.test(message))?.[1];
}

export function needsNewConnection(message: string): boolean {
  const code = redisOutageCode(message);
  return code !== undefined && CURES[code] === 'new connection';
}
