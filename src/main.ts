#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import type { CommandBackend } from './cli/command-context.js';
import { systemClock } from './async/clock.js';
import { processEnvironment } from './config/environment.js';
import { endOnEarlySignals } from './cli/process/stop-signals.js';
import type { RunningTelemetry } from './telemetry/start-telemetry.js';

const EXIT_LIMIT_MS = 2_000;

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : '';
}

/** Commands that serve /metrics. Whether metrics are kept must be known before a module that records some is loaded. */
const SCRAPED = new Set(['serve', 'api']);

/** Loads the service itself, which takes about a second. */
async function loadBackend({ metricsText }: RunningTelemetry): Promise<CommandBackend> {
  const { createCommandBackend } = await import('./app/command-backend.js');
  return createCommandBackend({ version: version(), metricsText });
}

async function main(): Promise<void> {
  // First of all, because the modules below take a while to load and a signal may arrive meanwhile.
  const signals = endOnEarlySignals(process);
  // The reader of the output may close it, as `head` does; the command then goes on without an error.
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

  // After telemetry: a meter or tracer that is created before telemetry has started never records anything.
  const { runProgram } = await import('./cli/program.js');
  // The timers of the clock keep no process alive: a command that waits for a dependency, with nothing else open, would end.
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
  // Everything is closed by now; a socket that a library still holds open must not keep the process alive.
  systemClock.after(EXIT_LIMIT_MS, () => process.exit());
}

void main();
