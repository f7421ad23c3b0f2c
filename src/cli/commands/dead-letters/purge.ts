import type { Command } from 'commander';
import type { FailureCode } from '../../../domain/error-codes.js';
import type { DeadLetterFilter, DeadLetters } from '../../../jobs/dead-letters.js';
import { addChoiceOptions, choiceOf, type ChoiceOptions } from './selection.js';
import { talliesInWords, type Tallies, totalOf } from './words.js';
import { eachJob } from './answers.js';
import { bulk, sayTally } from './bulk.js';
import { type ExitCode, UsageError } from '../../process/exit-codes.js';
import type { CommandHost, Run } from '../../process/run-command.js';
import { addCommand, DATABASE_SETTINGS, QUEUE_SETTINGS } from '../define-command.js';

interface PurgeOptions extends ChoiceOptions {
  readonly yes?: boolean;
}

const PAGE_SIZE = 1_000;

export function addPurgeCommand(group: Command, host: CommandHost): void {
  const command = addCommand(group, {
    usage: 'purge [job-id...]',
    summary: 'Deletes dead letters for good',
    details:
      'Nothing brings a purged job back; its tries stay in the operation log. The next sweep may then ask for its game again. Exits with 1 when a job id was missing.',
    examples: [
      ['runtime-cleanup dead-letters purge 12', 'this one'],
      [
        'runtime-cleanup dead-letters purge --code not_found --older-than 30d',
        'says how many would go, and does nothing',
      ],
      ['runtime-cleanup dead-letters purge --code not_found --older-than 30d --yes', 'deletes them'],
      ['runtime-cleanup dead-letters purge --all --yes --json', 'prints { "done", "skipped" }'],
    ],
    settings: [...QUEUE_SETTINGS, ...DATABASE_SETTINGS],
  });
  addChoiceOptions(command)
    .option('--yes', 'delete what --code, --game, --older-than or --all choose')
    .action((jobIds: string[], options: PurgeOptions) => host.runOnce(options, (run) => purge(run, jobIds, options)));
}

async function purge(run: Run, jobIds: readonly string[], options: PurgeOptions): Promise<ExitCode> {
  const { session, world, output } = run;
  const choice = choiceOf(jobIds, options, session.clock);
  const { deadLetters, close } = await world.openDeadLetters(session);
  try {
    if (choice.kind === 'jobs') return await eachJob(run, choice.jobIds, deadLetters.purge);
    if (options.yes !== true) {
      await requireNone(deadLetters, choice.filter, session.signal);
      // Whatever has failed since they were counted is not covered by a yes that was not given.
      return sayTally(output, 'purged', { done: 0, skipped: 0 });
    }
    return await bulk(run, 'purged', (options) =>
      deadLetters.purgeAll(choice.filter, { perSecond: choice.perSecond, ...options }),
    );
  } finally {
    await close();
  }
}

/** Nobody can undo it, so whoever means many says so, and learns first how many. */
async function requireNone(deadLetters: DeadLetters, filter: DeadLetterFilter, signal: AbortSignal): Promise<void> {
  const tallies = await countOf(deadLetters, filter, signal);
  if (totalOf(tallies) === 0) return;
  throw new UsageError([
    `this would delete ${talliesInWords(tallies)} for good; add --yes to do it. Nothing has been done`,
  ]);
}

async function countOf(deadLetters: DeadLetters, filter: DeadLetterFilter, signal: AbortSignal): Promise<Tallies> {
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
