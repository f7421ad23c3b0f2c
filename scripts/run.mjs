#!/usr/bin/env node
// What `npm test`, `npm run demo` and `npm run bench` start. It must run on a fresh clone, so everything below scripts/ uses nothing but
// Node's own modules; and on an old Node it must get as far as saying so, so the rest is loaded after that check.
import { checkNodeVersion } from './steps/node-version.mjs';

checkNodeVersion();
void import('./task.mjs').then(({ runTask }) => runTask(process.argv.slice(2)));
