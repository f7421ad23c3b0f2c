/**
 * BullMQ, loaded at its first use: a command that reads records needs no queue and starts without it.
 *
 * `require` and not `import`, because BullMQ is a CommonJS package of 170 files. Before Node imports one, it searches all of
 * them for the names that they export, which takes longer than to run them. Types are imported from `bullmq` itself.
 */
import { createRequire } from 'node:module';
import type * as BullMQ from 'bullmq';

const require = createRequire(import.meta.url);

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what `require` returns has no type
export const bullmq = (): typeof BullMQ => require('bullmq') as typeof BullMQ;
