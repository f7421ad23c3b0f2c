/**
 * The names under which cleanups and sweeps are queued (contract, section 3). A file of its own because every folder of this
 * adapter imports it.
 */
import { OP_KIND } from '../../domain/operation.js';

export const PREFIX = '{rtmanager}';
export const CLEANUP_QUEUE = 'runtime-cleanup';
export const CLEANUP_JOB = OP_KIND;
export const RETENTION_QUEUE = 'runtime-retention';
export const SWEEP_SCHEDULER = 'auto-ttl';
export const SWEEP_JOB = 'sweep';

export type QueueName = typeof CLEANUP_QUEUE | typeof RETENTION_QUEUE;

/** The PostgreSQL schema that holds BullMQ's tables; it replaces the prefix of Redis keys. */
export const SCHEMA = 'bullmq';
