import type { Redis } from 'ioredis';
import { type Clock, systemClock } from '../../async/clock.js';
import { messageOf } from '../../domain/errors.js';
import { needsNewConnection } from '../redis-replies.js';

/** The server may refuse for as long as a failover takes; until then this is how often all connections are made anew. */
const RENEW_EVERY_MS = 1_000;

/** Connections of this process to one address. */
export interface ConnectionFamily {
  /** An option of ioredis, which asks it about each error reply, also to a script and to a command of a pipeline. */
  readonly reconnectOnError: (reply: Error) => boolean;
  /** Makes the client a member, and the clients that BullMQ duplicates from it. */
  readonly join: (redis: Redis) => void;
}

/**
 * After a failover that keeps old connections open, the old primary refuses writes. The connection that was refused is made
 * anew, and with it the others of the family: one that only reads, as the one for the queue's events does, would stay with
 * the old primary and never find out.
 *
 * The refused command is not sent again: a lease that was acquired by a command whose answer was lost would be read as
 * another holder's.
 */
export function createConnectionFamily(clock: Pick<Clock, 'monotonicMs'> = systemClock): ConnectionFamily {
  const members = new Set<Redis>();
  let renewedAtMs = Number.NEGATIVE_INFINITY;

  function renewAll(reply: Error): void {
    const nowMs = clock.monotonicMs();
    if (nowMs - renewedAtMs < RENEW_EVERY_MS) return;
    renewedAtMs = nowMs;
    for (const member of members) {
      if (member.status !== 'ready') continue;
      // Commands are refused for want of a connection until there is one again; this is the reason that they report.
      member.emit('error', reply);
      member.disconnect(true);
    }
  }

  function join(redis: Redis): void {
    members.add(redis);
    redis.once('end', () => members.delete(redis));
    redis.on('error', forgetCommand);
    const duplicate = redis.duplicate.bind(redis);
    redis.duplicate = (override) => {
      const copy = duplicate(override);
      join(copy);
      return copy;
    };
  }

  return {
    join,
    reconnectOnError: (reply) => {
      if (!needsNewConnection(messageOf(reply))) return false;
      renewAll(reply);
      return true;
    },
  };
}

/** ioredis attaches the refused command to the error, and that of a refused login contains the password. */
function forgetCommand(error: Error & { command?: unknown }): void {
  delete error.command;
}
