/**
 * Parts of the stores for clients that exist before the stores are reached. Each member looks the store up when it is
 * called, and is `async`, so that a store that is not there yet makes the call reject and not throw.
 */
import type { QueueStore } from '../adapters/bullmq/store/queue-store.js';
import type { UnavailableError } from '../domain/errors.js';
import type { EngineRegistry } from '../engines/engine-ports.js';
import type { RetentionRecords } from '../retention/ports.js';
import type { Database } from './connect/database.js';
import type { RecordQueries } from '../domain/record-queries.js';

interface Connection<Store> {
  /** Throws until the store is connected. */
  readonly get: () => Store;
  /** Returns the store that it was given. */
  readonly connected: (store: Store) => Store;
}

export function createConnection<Store>(unavailable: () => UnavailableError): Connection<Store> {
  let connected: Store | undefined;
  return {
    get: () => {
      if (connected === undefined) throw unavailable();
      return connected;
    },
    connected: (store) => (connected = store),
  };
}

export function queriesOf(database: () => Pick<Database, 'queries'>): RecordQueries {
  return {
    listRecords: async (filter) => database().queries.listRecords(filter),
    findRecord: async (gameId) => database().queries.findRecord(gameId),
    listOperations: async (filter) => database().queries.listOperations(filter),
  };
}

export function retentionRecordsOf(database: () => Pick<Database, 'retentionRecords'>): RetentionRecords {
  return {
    now: async () => database().retentionRecords.now(),
    census: async (retentionMs, except) => database().retentionRecords.census(retentionMs, except),
    stopped: async (query) => database().retentionRecords.stopped(query),
    find: async (gameIds) => database().retentionRecords.find(gameIds),
  };
}

/** What people see and do about the engines; only workers use the rest of the registry. */
export type EngineAccounts = Pick<EngineRegistry, 'list' | 'accept' | 'named'>;

export function enginesOf(database: () => Pick<Database, 'engines'>): EngineAccounts {
  return {
    list: async () => database().engines.list(),
    accept: async (name, actor) => database().engines.accept(name, actor),
    named: async () => database().engines.named(),
  };
}

/** The part of the queue's store that clients use; only workers use the rest, and they start when it is connected. */
export type ClientBackend = Pick<QueueStore, 'queue' | 'events' | 'repairJob' | 'checkWritable' | 'failedSet'>;

export function queueBackendOf(backend: () => ClientBackend): ClientBackend {
  return {
    queue: async (options) => backend().queue(options),
    events: async (options) => backend().events(options),
    repairJob: async (jobId, queue) => backend().repairJob(jobId, queue),
    checkWritable: async () => backend().checkWritable(),
    failedSet: {
      page: async (page) => backend().failedSet.page(page),
      find: async (jobId) => backend().failedSet.find(jobId),
      putBack: async (jobs) => backend().failedSet.putBack(jobs),
      remove: async (jobIds) => backend().failedSet.remove(jobIds),
    },
  };
}
