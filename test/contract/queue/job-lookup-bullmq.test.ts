import { bullmqQueues } from '../../support/queue/queue-harness.js';
import { STORE_KINDS } from '../../support/queue/queue-stores.js';
import { jobLookupContract } from './job-lookup-contract.js';

for (const kind of STORE_KINDS) jobLookupContract(`BullMQ on ${kind}`, () => bullmqQueues(kind));
