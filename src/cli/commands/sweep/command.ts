import { Option, type Command } from 'commander';
import { shareRefusal } from '../../../retention/sweep-limit.js';
import { limitOf, shareOf } from '../../terminal/argument-parsers.js';
import { type ExitCode, UsageError } from '../../process/exit-codes.js';
import type { CommandHost, CommandOptions, Run } from '../../process/run-command.js';
import { addCommand, DATABASE_SETTINGS, QUEUE_SETTINGS } from '../define-command.js';
import { collectPages } from '../../terminal/collect-pages.js';
import type { RetentionHandle } from '../../command-context.js';
import { followProgress } from '../../terminal/progress.js';
import { showPlan } from './plan-output.js';
import { showReport } from './report-output.js';

interface SweepCommandOptions extends CommandOptions {
  readonly dryRun?: boolean;
  readonly all?: boolean;
  readonly limit?: number;
  readonly maxShare?: number;
}

export function addSweepCommand(program: Command, host: CommandHost): void {
  addCommand(program, {
    usage: 'sweep',
    summary: 'Runs the retention sweep now, or shows what it would do',
    details:
      'The sweep asks for the containers of games that are stopped for longer than the retention, oldest first; workers remove them. ' +
      'Left alone are games with a hold and games whose cleanup is a dead letter. It runs by itself every RTMANAGER_CLEANUP_INTERVAL while a worker runs. ' +
      'Exits with 1 when it was refused, because more than the allowed share is due, and when another sweep is running.',
    examples: [
      ['runtime-cleanup sweep --dry-run', 'which containers would go, since when they are due, and which stay and why'],
      ['runtime-cleanup sweep --dry-run --all --limit 20', 'the oldest twenty, those whose time has not come too'],
      [
        'runtime-cleanup sweep --dry-run --json',
        'prints { "asOf", "plan": [{ gameId, verdict, dueAt, ... }], "next", "summary" }',
      ],
      [
        'runtime-cleanup sweep --json',
        'sweep; prints { "status": "done", "planned", "enqueued", "coalesced", "failed", "kept", ... }',
      ],
      ['runtime-cleanup sweep --max-share 80%', 'sweep although up to 80 % of the stopped containers are due'],
    ],
    settings: [
      'RTMANAGER_CONTAINER_RETENTION_DAYS',
      'RTMANAGER_SWEEP_MAX_SHARE',
      'RTMANAGER_CLEANUP_INTERVAL',
      ...QUEUE_SETTINGS,
      ...DATABASE_SETTINGS,
    ],
  })
    .option('--dry-run', 'only show what a sweep would do')
    .option('--all', 'with --dry-run: also containers whose time has not come')
    .addOption(new Option('--limit <count>', 'with --dry-run: at most this many rows, up to 1000').argParser(limitOf))
    .addOption(
      new Option('--max-share <share>', 'allow this share of the stopped containers, this once').argParser(shareOf),
    )
    .action((options: SweepCommandOptions) => host.runOnce(options, (run) => work(run, options)));
}

async function work(run: Run, options: SweepCommandOptions): Promise<ExitCode> {
  if (options.dryRun !== true && (options.all === true || options.limit !== undefined)) {
    // Whoever asks for ten means ten, and a sweep takes all that is due.
    throw new UsageError([
      '--all and --limit choose what is shown, so they go with --dry-run; a sweep takes all that is due',
    ]);
  }
  const desk = await run.world.openRetention(run.session);
  try {
    return options.dryRun === true ? await plan(run, desk, options) : await sweep(run, desk, options);
  } finally {
    await desk.close();
  }
}

async function plan({ session, output }: Run, desk: RetentionHandle, options: SweepCommandOptions): Promise<ExitCode> {
  const { all: includeNotDue = false, limit, maxShare } = options;
  let asOf: Date | undefined;
  const { items, next } = await collectPages({ limit, signal: session.signal }, async (page) => {
    const found = await desk.retention.plan({ includeNotDue, ...page });
    asOf ??= found.asOf;
    return found;
  });
  const summary = await desk.retention.summary();
  const refusal =
    maxShare === undefined ? summary.refusal : shareRefusal({ ...summary, planned: summary.due, maxShare });
  return showPlan(output, { asOf: asOf ?? summary.asOf, plan: items, next, summary: { ...summary, refusal } });
}

async function sweep(
  { session, output }: Run,
  desk: RetentionHandle,
  { maxShare }: SweepCommandOptions,
): Promise<ExitCode> {
  const progress = followProgress(output, 'enqueued');
  try {
    const report = await desk.retention.sweep({ maxShare, onProgress: progress.onProgress, signal: session.signal });
    progress.stop();
    return showReport(output, report);
  } catch (thrown) {
    progress.stop();
    if (progress.done() > 0) output.note(`${progress.done()} jobs are in the queue already, and stay there.`);
    throw thrown;
  }
}
