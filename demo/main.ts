/** `npm run demo`: plays the demonstration in this process, and starts the built program as processes of their own. */
import { systemClock } from '../src/async/clock.js';
import { listenForStop } from '../src/cli/process/stop-signals.js';
import { readConfig } from '../src/config/config.js';
import { processEnvironment } from '../src/config/environment.js';
import { messageOf } from '../src/domain/errors.js';
import { createLogger } from '../src/telemetry/logger.js';
import { runDemo } from './run-demo.js';

const environment = processEnvironment();
const { stdout, stderr } = process;
const stop = listenForStop({ source: process, clock: systemClock, exitNow: () => process.exit(1) });
// The clock's timers keep no process alive.
const stayAlive = setInterval(() => {}, 60_000);
try {
  const isFine = await runDemo({
    config: readConfig(environment),
    log: createLogger({ name: 'runtime-cleanup-demo', level: 'warn', destination: stderr }),
    clock: systemClock,
    signal: stop.signal,
    io: { stdout, stderr, json: process.argv.includes('--json') },
    environment,
  });
  process.exitCode = isFine ? 0 : 1;
} catch (error) {
  stderr.write(`demo: ${messageOf(error)}\n`);
  process.exitCode = 1;
} finally {
  stop.release();
  clearInterval(stayAlive);
}
