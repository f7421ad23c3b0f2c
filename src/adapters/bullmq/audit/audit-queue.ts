/**
 * Reads the queues for an audit, below BullMQ: BullMQ's own objects write as soon as they are created, and its listing of
 * active jobs does not show who holds their locks.
 */
import type { AuditedDeadLetter, AuditQueue } from '../../../audit/audit-ports.js';
import { readReason } from '../../../jobs/failure-reason.js';
import { textIn } from '../dead-letters/to-dead-letter.js';
import type { FailedEntry, FailedSet } from '../store/failed-set.js';
import { type ActiveClient, unlockedInRedis } from './unlocked-redis.js';
import { unlockedInPostgres } from './unlocked-postgres.js';
import { createPostgresFailedSet } from '../store/failed-set-postgres.js';
import { createRedisFailedSet, type FailedSetClient } from '../store/failed-set-redis.js';
import { CLEANUP_QUEUE, PREFIX, SCHEMA } from '../names.js';

type PostgresClients = Parameters<typeof createPostgresFailedSet>[0];

/** Sends only commands that read, so a read-only user is enough. */
export function createRedisAuditQueue(redis: FailedSetClient & ActiveClient, prefix = PREFIX): AuditQueue {
  return {
    unlocked: () => unlockedInRedis(redis, prefix),
    ...deadLettersOf(createRedisFailedSet(redis, `${prefix}:${CLEANUP_QUEUE}`)),
  };
}

/** @param withClient lends a connection for as long as the work runs; its sessions may be read-only */
export function createPostgresAuditQueue(withClient: PostgresClients, schema = SCHEMA): AuditQueue {
  return {
    unlocked: () => unlockedInPostgres(withClient, schema),
    ...deadLettersOf(createPostgresFailedSet(withClient, schema)),
  };
}

function deadLettersOf(failedSet: Pick<FailedSet, 'page' | 'find'>): Pick<AuditQueue, 'deadLetters' | 'deadLetter'> {
  /** A page leaves out data that is too long for it; then the whole job is read for its game id. */
  const dataOf = async ({ jobId, data }: FailedEntry): Promise<unknown> => data ?? (await failedSet.find(jobId))?.data;
  return {
    deadLetters: async (after, limit) => {
      const page = await failedSet.page({ after, limit });
      return Promise.all(page.map(async (entry) => auditedOf(entry, await dataOf(entry))));
    },
    deadLetter: async (jobId) => {
      const job = await failedSet.find(jobId);
      return job === undefined ? undefined : auditedOf(job, job.data);
    },
  };
}

const auditedOf = ({ failedAtMs, jobId, reason }: FailedEntry, data: unknown): AuditedDeadLetter => ({
  failedAtMs,
  jobId,
  gameId: textIn(data, 'gameId'),
  reason,
  isReadable: readReason(reason) !== undefined,
});
