import { fakeQueues } from '../../support/queue/queue-harness.js';
import { cleanupQueueContract } from './cleanup-queue-contract.js';

cleanupQueueContract('in memory', fakeQueues);
