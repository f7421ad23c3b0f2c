// The arguments of `npm run demo`. Plain JavaScript that uses only Node's own modules, because scripts/ reads them too, before
// anything is installed or started: `--help` and a wrong argument are answered at once, on a fresh clone as well.
import { parseArgs } from 'node:util';

export const HELP = `Usage: npm run demo [-- options]

Creates about 58 real containers in every state, requests their cleanup by queue, command line, HTTP and
retention, and runs the built service (dist/main.js) until every job has ended. For one game it replaces the
service's engine by an empty one meanwhile. Then it prints a table that compares the expected result with the
engine, the database and the queue, and removes what it created.

It takes about 35 seconds; the first run also installs and builds, which takes a few minutes.
It uses the Docker engine of DOCKER_HOST or of this machine, or starts a private one (Linux, as root).
It uses an embedded PostgreSQL, or a new database on the server of DATABASE_URL.
It does not touch other containers, databases or Redis keys.

Options:
  --redis     queue and leases on Redis: an empty database of the server in REDIS_URL, or a private server.
              REDIS_URL has the same effect; without both, everything is on PostgreSQL
  --json      print the result as one JSON document, without progress
  -h, --help  show this help

Exit codes:
  0  every row is as expected, and everything was removed again
  1  a row differs, something could not be removed, or the demo failed or was interrupted
  2  wrong arguments or settings

Ctrl-C stops it and removes everything; press it again to exit at once.
`;

const OPTIONS = {
  help: { type: 'boolean', short: 'h', default: false },
  json: { type: 'boolean', default: false },
  redis: { type: 'boolean', default: false },
};

export const parseDemoArguments = (args) => {
  try {
    const { help, json, redis } = parseArgs({ args: [...args], options: OPTIONS }).values;
    return { help, json, redis };
  } catch (error) {
    // Node's message continues with a hint about positional arguments, which the demo does not take.
    return { problem: error.message.split('. ')[0] };
  }
};
