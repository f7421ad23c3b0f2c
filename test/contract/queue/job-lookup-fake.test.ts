import { fakeQueues } from '../../support/queue/queue-harness.js';
import { jobLookupContract } from './job-lookup-contract.js';

jobLookupContract('in memory', fakeQueues);
