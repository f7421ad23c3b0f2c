import type { Command } from 'commander';
import { effectiveConfig } from '../config.js';
import { DONE, type ExitCode } from './failures.js';
import type { CommandHost, CommandOptions, Run } from './host.js';
import { addCommand, ALL_SETTINGS } from './new-command.js';

const STOPPING =
  'SIGTERM or Ctrl-C stops it gracefully: running jobs get RTMANAGER_SHUTDOWN_TIMEOUT, what is left goes back to the queue. A second signal ends it at once.';

export function addServeCommand(program: Command, host: CommandHost): void {
  addCommand(program, {
    usage: 'serve',
    summary: 'Runs the whole service in one process',
    details: STOPPING,
    examples: [['runtime-cleanup serve', 'run everything, with an embedded PostgreSQL when DATABASE_URL is not set']],
    settings: ALL_SETTINGS,
  }).action((options: CommandOptions) => host.runService(options, work));
}

export function addWorkerCommand(program: Command, host: CommandHost): void {
  addCommand(program, {
    usage: 'worker',
    summary: 'Takes cleanup jobs from the queue',
    details: STOPPING,
    examples: [
      ['runtime-cleanup worker', 'take jobs until told to stop'],
      ['REDIS_URL=redis://cache:6379 RTMANAGER_WORKER_CONCURRENCY=16 runtime-cleanup worker', 'sixteen at a time'],
    ],
    settings: ALL_SETTINGS,
  }).action((options: CommandOptions) => host.runService(options, work));
}

async function work({ session, world }: Run): Promise<ExitCode> {
  const { config, log, signal } = session;
  log.info({ settings: effectiveConfig(config) }, 'starting');
  for (const name of config.unused) log.warn({ setting: name }, 'this version does not use a setting that is given');
  try {
    await world.runWorker(session);
  } catch (thrown) {
    // Asked to stop while it was still waiting for a dependency: that is no failure.
    if (!signal.aborted || thrown !== signal.reason) throw thrown;
  }
  log.info({}, 'stopped');
  return DONE;
}
