import { bullmqQueues } from '../../support/queue/queue-harness.js';
import { STORE_KINDS } from '../../support/queue/queue-stores.js';
import { jobWaiterContract } from './job-waiter-contract.js';

for (const kind of STORE_KINDS) jobWaiterContract(`BullMQ on ${kind}`, () => bullmqQueues(kind));
