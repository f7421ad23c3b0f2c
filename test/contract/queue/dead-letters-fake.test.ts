import { fakeQueues } from '../../support/queue/queue-harness.js';
import { deadLettersContract } from './dead-letters-contract.js';

deadLettersContract('in memory', fakeQueues);
