import { bullmqQueues } from '../../support/queue/queue-harness.js';
import { STORE_KINDS } from '../../support/queue/queue-stores.js';
import { cleanupQueueContract } from './cleanup-queue-contract.js';

for (const kind of STORE_KINDS) cleanupQueueContract(`BullMQ on ${kind}`, () => bullmqQueues(kind));
