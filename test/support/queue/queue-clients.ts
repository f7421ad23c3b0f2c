import { Client, type ClientConfig } from 'pg';
import { createQueuePool, type QueuePool } from '../../../src/adapters/postgres/queue-pool.js';

/** Lends a connection for as long as `work` runs. */
export const withClient = async <T>(config: ClientConfig, work: (client: Client) => Promise<T>): Promise<T> => {
  const client = new Client(config);
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
};

/** The connections of a queue, enough for all that one test does at a time. */
export const queuePool = (connectionString: string, schema = 'bullmq'): QueuePool =>
  createQueuePool(
    { connectionString, applicationName: 'queue-test', max: 24, maxForWorkers: 12, schema },
    () => undefined,
  );
