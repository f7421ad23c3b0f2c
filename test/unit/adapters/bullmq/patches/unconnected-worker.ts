import { EventEmitter } from 'node:events';
import { type IQueueBackend, Worker } from 'bullmq';
import type { JobWorker } from '../../../../../src/adapters/bullmq/store/queue-store.js';

/** BullMQ's own `Worker` on a backend that only has what a test gives it: no connection is made. */
export function unconnectedWorker(members: Partial<IQueueBackend> = {}): JobWorker {
  const backend = Object.assign(new EventEmitter(), {
    qualifiedName: 'test:queue',
    keys: {},
    minimumBlockTimeout: 1,
    maximumBlockTimeout: 10,
    toKey: (type: string) => `test:queue:${type}`,
    clientName: () => 'test',
    waitUntilReady: async () => undefined,
    reconnectBlocking: async () => undefined,
    close: async () => undefined,
    ...members,
  });
  const options = { autorun: false, skipStalledCheck: true, skipLockRenewal: true, connection: {} };
  // The casts: the backend has only the members that the tests reach, and its type is a parameter of the worker's type.
  const worker = new Worker(
    'queue',
    async () => undefined,
    options,
    () => backend as unknown as never,
  );
  return worker as unknown as JobWorker;
}
