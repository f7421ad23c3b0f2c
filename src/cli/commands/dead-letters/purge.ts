import type { Command } from 'commander';
import type { FailureCode } from '../../../domain/error-codes.js';
import type { DeadLetterFilter, DeadLetters } from '../../../jobs/dead-letters.js';
import { formatTallies, showTally, type Tallies, totalOf } from './output.js';
import { addSelectionOptions, forEachJob, forMany, type SelectionOptions, selectionOf } from './selection.js';
import { UsageError } from '../../../domain/errors.js';
import type { ExitCode } from '../../process/exit-codes.js';
import type { CommandHost, CommandRun } from '../../process/run-command.js';
import { addCommand, DATABASE_SETTINGS, QUEUE_SETTINGS } from '../define-command.js';

interface PurgeOptions extends SelectionOptions {
  readonly yes?: boolean;
}

type Lister = Pick<DeadLetters, 'list'>;

const PAGE_SIZE = 1_000;

export function addPurgeCommand(group: Command, host: CommandHost): void {
  const command = addCommand(group, {
    usage: 'purge [job-id...]',
    summary: 'Deletes dead letters for good',
    details:
      'A purged job cannot be restored; its attempts stay in the operation log. The next sweep may enqueue its game again. Exits with 1 when there is no job with a given id.',
    examples: [
      ['runtime-cleanup dead-letters purge 12', 'this job'],
      [
        'runtime-cleanup dead-letters purge --code not_found --older-than 30d',
        'says how many would be deleted, and deletes none',
      ],
      ['runtime-cleanup dead-letters purge --code not_found --older-than 30d --yes', 'deletes them'],
      ['runtime-cleanup dead-letters purge --all --yes --json', 'prints { "done", "skipped" }'],
    ],
    settings: [...QUEUE_SETTINGS, ...DATABASE_SETTINGS],
  });
  addSelectionOptions(command)
    .option('--yes', 'confirm the deletion with --code, --game, --older-than or --all')
    .action((jobIds: string[], options: PurgeOptions) => host.runOnce(options, (run) => purge(run, jobIds, options)));
}

async function purge(
  run: CommandRun<'openDeadLetters'>,
  jobIds: readonly string[],
  options: PurgeOptions,
): Promise<ExitCode> {
  const { context, backend, output } = run;
  const selection = selectionOf(jobIds, options, context.clock);
  const { deadLetters, close } = await backend.openDeadLetters(context);
  try {
    if (selection.kind === 'jobs') return await forEachJob(run, selection.jobIds, deadLetters.purge);
    if (options.yes !== true) {
      await requireNone(deadLetters, selection.filter, context.signal);
      // A job that has failed since they were counted is not deleted: --yes was not given.
      return showTally(output, 'purged', { done: 0, skipped: 0 });
    }
    return await forMany(run, 'purged', (options) =>
      deadLetters.purgeAll(selection.filter, { perSecond: selection.perSecond, ...options }),
    );
  } finally {
    await close();
  }
}

/** A deletion of many cannot be undone, so it needs `--yes`; without it the command says how many there are. */
async function requireNone(deadLetters: Lister, filter: DeadLetterFilter, signal: AbortSignal): Promise<void> {
  const tallies = await countOf(deadLetters, filter, signal);
  if (totalOf(tallies) === 0) return;
  throw new UsageError([
    `this would delete ${formatTallies(tallies)} for good; add --yes to delete them. Nothing has been deleted`,
  ]);
}

async function countOf(deadLetters: Lister, filter: DeadLetterFilter, signal: AbortSignal): Promise<Tallies> {
  const tallies: Partial<Record<FailureCode, number>> = {};
  let after: string | undefined;
  do {
    signal.throwIfAborted();
    const page = await deadLetters.list({ ...filter, after, limit: PAGE_SIZE });
    for (const { code } of page.items) tallies[code] = (tallies[code] ?? 0) + 1;
    after = page.next ?? undefined;
  } while (after !== undefined);
  return tallies;
}
