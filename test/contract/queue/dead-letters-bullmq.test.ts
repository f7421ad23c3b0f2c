import { bullmqQueues } from '../../support/queue/queue-harness.js';
import { STORE_KINDS } from '../../support/queue/queue-stores.js';
import { deadLettersContract } from './dead-letters-contract.js';

for (const kind of STORE_KINDS) deadLettersContract(`BullMQ on ${kind}`, () => bullmqQueues(kind));
