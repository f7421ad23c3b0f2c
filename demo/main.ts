/** `npm run demo`: runs the demo in this process; it starts the built program (dist/main.js) as separate processes. */
import { systemClock } from '../src/async/clock.js';
import { listenForStop } from '../src/cli/process/stop-signals.js';
import { readConfig } from '../src/config/config.js';
import { processEnvironment } from '../src/config/environment.js';
import { ConfigError, messageOf } from '../src/domain/errors.js';
import { createLogger } from '../src/telemetry/logger.js';
import { type DemoArguments, HELP, parseDemoArguments } from './arguments.mjs';
import { RUN_LABEL } from './containers/containers.js';
import { runDemo } from './run-demo.js';

const SUCCESS = 0;
const FAILED = 1;
const WRONG_USE = 2;

const LEFT_BEHIND = `demo: ended before it tidied up; this removes its containers and their volumes:
  docker rm --force --volumes $(docker ps --all --quiet --filter label=${RUN_LABEL})
`;

async function main(args: readonly string[]): Promise<number> {
  const { stdout, stderr } = process;
  const parsed = parseDemoArguments(args);
  if ('problem' in parsed) {
    stderr.write(`demo: ${parsed.problem}\nAdd --help to see the options.\n`);
    return WRONG_USE;
  }
  if (parsed.help) {
    stdout.write(HELP);
    return SUCCESS;
  }
  try {
    return await run(parsed);
  } catch (error) {
    const lines = error instanceof ConfigError ? error.lines : [messageOf(error)];
    for (const line of lines) stderr.write(`demo: ${line}\n`);
    return error instanceof ConfigError ? WRONG_USE : FAILED;
  }
}

async function run({ json, redis }: DemoArguments): Promise<number> {
  const { stdout, stderr } = process;
  const environment = processEnvironment();
  const config = readConfig(environment);
  if (redis && config.queueBackend !== 'redis') {
    stderr.write('demo: --redis needs REDIS_URL, and RTMANAGER_QUEUE_BACKEND unset or "redis"\n');
    return WRONG_USE;
  }
  // A reader such as `head` may close the pipe early. The demo must still tidy up, so the error is ignored.
  for (const stream of [stdout, stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
  const exitNow = (): never => {
    stderr.write(LEFT_BEHIND);
    process.exit(FAILED);
  };
  const stop = listenForStop({ source: process, clock: systemClock, exitNow });
  // The timers of systemClock do not keep the process alive, so a wait could otherwise end it silently.
  const keepAlive = setInterval(() => undefined, 60_000);
  try {
    const log = createLogger({ name: 'runtime-cleanup-demo', level: 'warn', destination: stderr });
    const output = { stdout, stderr, json };
    const isFine = await runDemo({ config, log, clock: systemClock, signal: stop.signal, output, environment });
    return isFine ? SUCCESS : FAILED;
  } finally {
    stop.release();
    clearInterval(keepAlive);
  }
}

process.exitCode = await main(process.argv.slice(2));
