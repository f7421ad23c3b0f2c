import { Option, type Command } from 'commander';
import { shareRefusal } from '../../../retention/sweep-limit.js';
import { limitOf, shareOf } from '../../terminal/argument-parsers.js';
import { UsageError } from '../../../domain/errors.js';
import type { ExitCode } from '../../process/exit-codes.js';
import type { CommandHost, CommandOptions, CommandRun } from '../../process/run-command.js';
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
      'The sweep enqueues the cleanup of each game that has been stopped for longer than the retention, oldest first; workers remove the containers. ' +
      'It skips games with a hold and games whose cleanup is a dead letter. A running worker sweeps every RTMANAGER_CLEANUP_INTERVAL. ' +
      'Exits with 1 when the sweep is refused because more than the allowed share is due, or when another sweep is running.',
    examples: [
      [
        'runtime-cleanup sweep --dry-run',
        'which containers would be removed, since when they are due, and which are kept and why',
      ],
      ['runtime-cleanup sweep --dry-run --all --limit 20', 'the oldest twenty, including those that are not due yet'],
      [
        'runtime-cleanup sweep --dry-run --json',
        'prints { "asOf", "plan": [{ gameId, verdict, dueAt, ... }], "next", "summary" }',
      ],
      [
        'runtime-cleanup sweep --json',
        'sweep; prints { "status": "done", "planned", "enqueued", "coalesced", "failed", "kept", ... }',
      ],
      ['runtime-cleanup sweep --max-share 80%', 'sweep even when up to 80 % of the stopped containers are due'],
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
    .option('--all', 'with --dry-run: show containers that are not due yet too')
    .addOption(new Option('--limit <count>', 'with --dry-run: at most this many rows, up to 1000').argParser(limitOf))
    .addOption(
      new Option('--max-share <share>', 'allow this share of the stopped containers, for this sweep only').argParser(
        shareOf,
      ),
    )
    .action((options: SweepCommandOptions) => host.runOnce(options, (run) => work(run, options)));
}

async function work(run: CommandRun<'openRetention'>, options: SweepCommandOptions): Promise<ExitCode> {
  if (options.dryRun !== true && (options.all === true || options.limit !== undefined)) {
    // A sweep takes everything that is due, so a limit must not be accepted and then ignored.
    throw new UsageError([
      '--all and --limit choose what is shown, so they need --dry-run; a sweep enqueues everything that is due',
    ]);
  }
  const handle = await run.backend.openRetention(run.context);
  try {
    return options.dryRun === true ? await plan(run, handle, options) : await sweep(run, handle, options);
  } finally {
    await handle.close();
  }
}

async function plan(
  { context, output }: CommandRun,
  { retention }: RetentionHandle,
  options: SweepCommandOptions,
): Promise<ExitCode> {
  const { all: includeNotDue = false, limit, maxShare } = options;
  let asOf: Date | undefined;
  const { items, next } = await collectPages({ limit, signal: context.signal }, async (page) => {
    const found = await retention.plan({ includeNotDue, ...page });
    asOf ??= found.asOf;
    return found;
  });
  const summary = await retention.summary();
  const refusal =
    maxShare === undefined ? summary.refusal : shareRefusal({ ...summary, planned: summary.due, maxShare });
  return showPlan(output, { asOf: asOf ?? summary.asOf, plan: items, next, summary: { ...summary, refusal } });
}

async function sweep(
  { context, output }: CommandRun,
  { retention }: RetentionHandle,
  { maxShare }: SweepCommandOptions,
): Promise<ExitCode> {
  const progress = followProgress(output, 'enqueued');
  try {
    const report = await retention.sweep({ maxShare, onProgress: progress.onProgress, signal: context.signal });
    progress.stop();
    return showReport(output, report);
  } catch (thrown) {
    progress.stop();
    if (progress.done() > 0) output.note(`${progress.done()} jobs are in the queue and stay there.`);
    throw thrown;
  }
}
