import { fakeQueues } from '../../support/queue/queue-harness.js';
import { jobWaiterContract } from './job-waiter-contract.js';

jobWaiterContract('in memory', fakeQueues);
