import type { Command } from 'commander';
import { effectiveConfig } from '../../config/config.js';
import { DONE, type ExitCode } from '../process/exit-codes.js';
import type { CommandHost, CommandOptions, Run } from '../process/run-command.js';
import { addCommand, ALL_SETTINGS } from './define-command.js';
import type { ServiceRole } from '../command-context.js';

const STOPPING =
  'SIGTERM or Ctrl-C stops it gracefully: running jobs get RTMANAGER_SHUTDOWN_TIMEOUT, what is left goes back to the queue. A second signal ends it at once.';

export function addServeCommand(program: Command, host: CommandHost): void {
  addCommand(program, {
    usage: 'serve',
    summary: 'Runs the whole service in one process: worker, retention sweep, HTTP API and dashboard',
    details: STOPPING,
    examples: [['runtime-cleanup serve', 'run everything, with an embedded PostgreSQL when DATABASE_URL is not set']],
    settings: ALL_SETTINGS,
  }).action((options: CommandOptions) => host.runService(options, (run) => work(run, 'serve')));
}

export function addApiCommand(program: Command, host: CommandHost): void {
  addCommand(program, {
    usage: 'api',
    summary: 'Serves the HTTP API and the dashboard, and takes no jobs',
    details: STOPPING,
    examples: [
      ['runtime-cleanup api', 'listen on RTMANAGER_INTERNAL_HTTP_ADDR until told to stop'],
      ['curl http://127.0.0.1:8096/openapi.json', 'what it answers to'],
    ],
    settings: ALL_SETTINGS,
  }).action((options: CommandOptions) => host.runService(options, (run) => work(run, 'api')));
}

export function addWorkerCommand(program: Command, host: CommandHost): void {
  addCommand(program, {
    usage: 'worker',
    summary: 'Takes cleanup jobs from the queue, and sweeps when it is time',
    details: STOPPING,
    examples: [
      ['runtime-cleanup worker', 'take jobs until told to stop'],
      ['REDIS_URL=redis://cache:6379 RTMANAGER_WORKER_CONCURRENCY=16 runtime-cleanup worker', 'sixteen at a time'],
    ],
    settings: ALL_SETTINGS,
  }).action((options: CommandOptions) => host.runService(options, (run) => work(run, 'worker')));
}

async function work({ session, world }: Run, role: ServiceRole): Promise<ExitCode> {
  const { config, log, signal } = session;
  log.info({ role, settings: effectiveConfig(config) }, 'starting');
  try {
    await world.runService(session, role);
  } catch (thrown) {
    // Asked to stop while it was still waiting for a dependency: that is no failure.
    if (!signal.aborted || thrown !== signal.reason) throw thrown;
  }
  log.info({}, 'stopped');
  return DONE;
}
