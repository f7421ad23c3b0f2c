import { OP_KIND } from '../../domain/operation.js';

/** Where cleanups are queued, and where sweeps are (contract, section 3). */
export const PREFIX = '{rtmanager}';
export const CLEANUP_QUEUE = 'runtime-cleanup';
export const CLEANUP_JOB = OP_KIND;
export const RETENTION_QUEUE = 'runtime-retention';
export const SWEEP_SCHEDULER = 'auto-ttl';
export const SWEEP_JOB = 'sweep';

export type QueueName = typeof CLEANUP_QUEUE | typeof RETENTION_QUEUE;

/** BullMQ's own schema in PostgreSQL, which knows no prefix. */
export const SCHEMA = 'bullmq';
