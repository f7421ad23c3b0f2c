/** All that is promised, checked against what is known of a history; pure, each check with a name of its own. */
import type { Broken } from '../../../laboratory/checks.js';
import { checkContainers } from './checks-containers.js';
import { checkJobs } from './checks-jobs.js';
import { checkLeases } from './checks-leases.js';
import { checkRecords } from './checks-records.js';
import type { History } from '../history.js';

export const checkHistory = (history: History): readonly Broken[] => [
  ...checkContainers(history),
  ...checkJobs(history),
  ...checkRecords(history),
  ...checkLeases(history),
];
