import { QueueEvents } from 'bullmq';
import { Client } from 'pg';
import { CLEANUP_QUEUE, type QueueName } from '../../../src/adapters/bullmq/names.js';
import { createRedis } from '../../../src/adapters/redis/connection.js';
import { createChanges } from '../changes.js';

/** The session that listens to the events; a test that ends the sessions of a worker must leave it out. */
export const CHANGES_SESSION = 'queue changes';

/** Events of this time are checked together: each check is a query, and a busy queue has many events. */
const GATHERED_MS = 10;

const EVENTS = ['added', 'waiting', 'active', 'delayed', 'completed', 'failed', 'removed'] as const;

/** As `Until`; the assertion is checked at each event of the named queue, the cleanups' without a name. */
export type UntilQueue = <T>(
  assertion: () => T | Promise<T>,
  options?: { readonly withinMs?: number; readonly queue?: QueueName },
) => Promise<T>;

type Close = () => Promise<void>;

/** Listens to the queues of a space past the proxy. */
export function createQueueChanges(env: Readonly<Record<string, string>>): {
  readonly untilQueue: UntilQueue;
  readonly close: () => Promise<unknown>;
} {
  const changes = createChanges();
  let gathering: NodeJS.Timeout | undefined;
  const notify = (): void => {
    gathering ??= setTimeout(() => {
      gathering = undefined;
      changes.notify();
    }, GATHERED_MS);
  };
  const opened = new Map<QueueName, Promise<Close>>();
  const open = async (name: QueueName): Promise<Close> => {
    const { REDIS_URL: url, DATABASE_URL: connectionString, QUEUE_SPACE: prefix = '' } = env;
    if (url === undefined) {
      // Not `QueueEvents`: on PostgreSQL it misses the events between its reading and its listening.
      const client = new Client({ connectionString, application_name: CHANGES_SESSION });
      client.on('error', () => undefined).on('notification', notify);
      await client.connect();
      await client.query('LISTEN bullmq_events');
      return () => client.end();
    }
    // From the first stored event on, so that none is missed.
    const redis = createRedis({ url, role: 'blocking', onError: () => undefined });
    const events = new QueueEvents(name, { connection: redis, prefix, lastEventId: '0' });
    events.on('error', () => undefined);
    for (const event of EVENTS) events.on(event, notify);
    return async () => {
      await events.close();
      redis.disconnect();
    };
  };
  return {
    untilQueue: async (assertion, { queue = CLEANUP_QUEUE, ...options } = {}) => {
      if (!opened.has(queue)) opened.set(queue, open(queue));
      await opened.get(queue);
      return changes.until(assertion, options);
    },
    close: () => Promise.all([...opened.values()].map(async (close) => (await close)())),
  };
}
