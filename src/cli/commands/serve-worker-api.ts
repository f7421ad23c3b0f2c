import type { Command } from 'commander';
import { effectiveConfig } from '../../config/config.js';
import { DONE, type ExitCode } from '../process/exit-codes.js';
import type { CommandHost, CommandOptions, CommandRun } from '../process/run-command.js';
import { addCommand, ALL_SETTINGS } from './define-command.js';
import type { ServiceRole } from '../command-context.js';

const STOPPING =
  'SIGTERM or Ctrl-C stops it gracefully: running jobs may go on for RTMANAGER_SHUTDOWN_TIMEOUT, then they go back to the queue. A second signal ends it at once.';

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
    summary: 'Serves the HTTP API and the dashboard; takes no jobs',
    details: STOPPING,
    examples: [
      ['runtime-cleanup api', 'listen on RTMANAGER_INTERNAL_HTTP_ADDR until a signal stops it'],
      ['curl http://127.0.0.1:8096/openapi.json', 'the routes of the API'],
    ],
    settings: ALL_SETTINGS,
  }).action((options: CommandOptions) => host.runService(options, (run) => work(run, 'api')));
}

export function addWorkerCommand(program: Command, host: CommandHost): void {
  addCommand(program, {
    usage: 'worker',
    summary: 'Takes cleanup jobs from the queue, and runs the retention sweep when it is due',
    details: STOPPING,
    examples: [
      ['runtime-cleanup worker', 'take jobs until a signal stops it'],
      [
        'REDIS_URL=redis://cache:6379 RTMANAGER_WORKER_CONCURRENCY=16 runtime-cleanup worker',
        'run sixteen jobs at a time',
      ],
    ],
    settings: ALL_SETTINGS,
  }).action((options: CommandOptions) => host.runService(options, (run) => work(run, 'worker')));
}

async function work({ context, backend }: CommandRun<'runService'>, role: ServiceRole): Promise<ExitCode> {
  const { config, log, signal } = context;
  log.info({ role, settings: effectiveConfig(config) }, 'starting');
  try {
    await backend.runService(context, role);
  } catch (thrown) {
    // A stop while the service still waits for a dependency is not a failure.
    if (!signal.aborted || thrown !== signal.reason) throw thrown;
  }
  log.info({}, 'stopped');
  return DONE;
}
