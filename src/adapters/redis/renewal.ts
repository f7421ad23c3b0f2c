import type { Redis } from 'ioredis';
import { type Clock, systemClock } from '../../async/clock.js';
import { messageOf } from '../../domain/errors.js';
import { needsNewConnection } from '../redis-replies.js';

/** The server may refuse for as long as a failover takes; meanwhile the connections are made anew this often. */
const RENEW_EVERY_MS = 1_000;

/** Connections of this process to one address. */
export interface ConnectionFamily {
  /** An option of ioredis, which asks it about each error reply, also to a script and to a command of a pipeline. */
  readonly reconnectOnError: (reply: Error) => boolean;
  /** Makes the client a member, and the clients that BullMQ duplicates from it; returns the client. */
  readonly join: (redis: Redis) => Redis;
}

/**
 * After a failover that keeps old connections open, the old primary refuses writes. All connections of the family are made
 * anew at the same moment. One that only reads, as the one for the queue's events does, would stay with the old primary and
 * never find out. And if the queue moved first, each of its jobs would fail once, at the lease's connection.
 *
 * The refused command is not sent again: a lease that was acquired by a command whose answer was lost would be read as
 * another holder's.
 */
export function createConnectionFamily(clock: Pick<Clock, 'monotonicMs' | 'after'> = systemClock): ConnectionFamily {
  const members = new Set<Redis>();
  let renewedAtMs = Number.NEGATIVE_INFINITY;
  let isPlanned = false;

  function renew(reply: Error): void {
    isPlanned = false;
    renewedAtMs = clock.monotonicMs();
    for (const member of members) {
      if (member.status !== 'ready') continue;
      // Commands are refused for want of a connection until there is one again; this is the reason that they report.
      member.emit('error', reply);
      member.disconnect(true);
    }
  }

  function renewSoon(reply: Error): void {
    if (isPlanned) return;
    const waitMs = renewedAtMs + RENEW_EVERY_MS - clock.monotonicMs();
    if (waitMs <= 0) {
      renew(reply);
      return;
    }
    isPlanned = true;
    clock.after(waitMs, () => renew(reply));
  }

  function join(redis: Redis): Redis {
    members.add(redis);
    redis.once('end', () => members.delete(redis));
    redis.on('error', forgetCommand);
    const duplicate = redis.duplicate.bind(redis);
    redis.duplicate = (override) => join(duplicate(override));
    return redis;
  }

  return {
    join,
    reconnectOnError: (reply) => {
      if (needsNewConnection(messageOf(reply))) renewSoon(reply);
      // The connection itself is a member, so ioredis need not close it once more.
      return false;
    },
  };
}

/** ioredis attaches the refused command to the error, and that of a refused login contains the password. */
function forgetCommand(error: Error & { command?: unknown }): void {
  delete error.command;
}
