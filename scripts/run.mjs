#!/usr/bin/env node
// Started by `npm test`, `npm run demo` and the other tasks of package.json. It must run on a fresh clone, so all files of scripts/
// use only Node's own modules. It must also run on an old Node, to report that: the other files are loaded after that check.
import { checkNodeVersion } from './steps/node-version.mjs';

checkNodeVersion();
void import('./tasks/run-task.mjs').then(({ runTask }) => runTask(process.argv.slice(2)));
