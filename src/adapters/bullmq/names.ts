/** Where cleanups are queued (contract, section 3). */
export const PREFIX = '{rtmanager}';
export const CLEANUP_QUEUE = 'runtime-cleanup';
export const CLEANUP_JOB = 'cleanup_container';

/** BullMQ's own schema in PostgreSQL, which knows no prefix. */
export const SCHEMA = 'bullmq';
