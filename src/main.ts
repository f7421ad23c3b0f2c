#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import type { CommandBackend } from './cli/command-context.js';
import { systemClock } from './async/clock.js';
import { processEnvironment } from './config/environment.js';
import { endOnEarlySignals } from './cli/process/early-signals.js';
import type { RunningTelemetry } from './telemetry/start-telemetry.js';

const EXIT_LIMIT_MS = 2_000;

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : '';
}

/** Commands that answer at /metrics; whether to keep metrics must be known before anything is loaded that makes some. */
const SCRAPED = new Set(['serve', 'api']);

/** Loads the service itself, which takes a second. */
async function loadBackend({ metricsText }: RunningTelemetry): Promise<CommandBackend> {
  const { createCommandBackend } = await import('./app/command-backend.js');
  return createCommandBackend({ version: version(), metricsText });
}

async function main(): Promise<void> {
  // Before anything is loaded that takes a while.
  const signals = endOnEarlySignals(process);
  // Whoever reads our output may stop reading, as `head` does; that is no reason to fall over.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
  const { createLogger } = await import('./telemetry/logger.js');
  const { startTelemetry } = await import('./telemetry/start-telemetry.js');
  const environment = processEnvironment();
  const log = createLogger({ name: 'runtime-cleanup', level: 'warn', destination: process.stderr });
  const args = process.argv.slice(2);
  const scraped = args.some((arg) => SCRAPED.has(arg));
  const telemetry = await startTelemetry({ environment, log, clock: systemClock, version: version(), scraped });

  // Only now: a meter or tracer that is asked for before telemetry has started records nothing for ever.
  const { runProgram } = await import('./cli/program.js');
  // The clock's timers keep no process alive; whoever waits for a dependency with nothing else open would just vanish.
  const stayAlive = setInterval(() => {}, 60_000);
  process.exitCode = await runProgram(args, {
    stdout: process.stdout,
    stderr: process.stderr,
    stdin: process.stdin,
    environment,
    signals,
    clock: systemClock,
    exitNow: (code) => process.exit(code),
    loadBackend: () => loadBackend(telemetry),
    version: version(),
  });
  await telemetry.shutdown();
  clearInterval(stayAlive);
  // All is closed by now; should a library still hold on to a socket, nobody waits for it.
  systemClock.after(EXIT_LIMIT_MS, () => process.exit());
}

void main();
