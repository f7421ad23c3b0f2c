import { Option, type Command } from 'commander';
import type { DeadLetter, DeadLetters } from '../../../jobs/dead-letters.js';
import { limitOf } from '../../terminal/argument-parsers.js';
import { formatTallies } from './output.js';
import { addFilterOptions, filterOf, type FilterOptions } from './selection.js';
import { DONE, type ExitCode } from '../../process/exit-codes.js';
import type { CommandHost, CommandOptions, CommandRun } from '../../process/run-command.js';
import { addCommand, DATABASE_SETTINGS, QUEUE_SETTINGS } from '../define-command.js';
import { type Output, shownTime } from '../../terminal/command-output.js';
import { collectPages } from '../../terminal/collect-pages.js';

interface ListOptions extends CommandOptions, FilterOptions {
  readonly limit: number;
  readonly all?: boolean;
}

/** How much of a message is shown; `show` has all of it. */
const SHOWN_CHARACTERS = 120;

export function addListCommand(group: Command, host: CommandHost): void {
  const command = addCommand(group, {
    usage: 'list',
    summary: 'Lists dead letters, the newest failure first',
    examples: [
      ['runtime-cleanup dead-letters list', 'the cleanups that failed for good, with their codes'],
      ['runtime-cleanup dead-letters list --code conflict --older-than 1d', 'conflicts that are at least a day old'],
      [
        'runtime-cleanup dead-letters list --all --json',
        'prints { "deadLetters": [{ jobId, gameId, code, message, failedAt, replays, ... }], "next": null }',
      ],
    ],
    settings: [...QUEUE_SETTINGS, ...DATABASE_SETTINGS],
  });
  addFilterOptions(command)
    .addOption(new Option('--limit <count>', 'at most this many, up to 1000').argParser(limitOf).default(50))
    .addOption(new Option('--all', 'all of them').conflicts('limit'))
    .action((options: ListOptions) => host.runOnce(options, (run) => list(run, options)));
}

async function list(
  { context, backend, output }: CommandRun<'openDeadLetters'>,
  options: ListOptions,
): Promise<ExitCode> {
  const filter = filterOf(options, context.clock);
  const { deadLetters, close } = await backend.openDeadLetters(context);
  try {
    const wanted = { limit: options.all === true ? undefined : options.limit, signal: context.signal };
    const { items, next } = await collectPages(wanted, (page) => deadLetters.list({ ...filter, ...page }));
    if (output.isJson) output.document({ deadLetters: items, next });
    else await show(output, { deadLetters, items, hasMore: next !== null, isFiltered: filter !== undefined });
    return DONE;
  } finally {
    await close();
  }
}

interface Listing {
  readonly deadLetters: Pick<DeadLetters, 'countByCode'>;
  readonly items: readonly DeadLetter[];
  readonly hasMore: boolean;
  readonly isFiltered: boolean;
}

async function show(output: Output, { deadLetters, items, hasMore, isFiltered }: Listing): Promise<void> {
  if (items.length === 0) {
    output.note(isFiltered ? 'There are no such dead letters.' : 'There are no dead letters.');
    return;
  }
  output.table(
    ['JOB', 'GAME', 'SOURCE', 'FAILED', 'REPLAYS', 'CODE', 'MESSAGE'],
    items.map((letter) => [
      letter.jobId,
      letter.gameId,
      letter.opSource,
      shownTime(letter.failedAt),
      String(letter.replays),
      letter.code,
      beginningOf(letter.message),
    ]),
  );
  if (!hasMore) return;
  output.note('There are more; add --all or a higher --limit.');
  output.note(`In all: ${formatTallies(await deadLetters.countByCode())}.`);
}

const beginningOf = (message: string): string =>
  message.length > SHOWN_CHARACTERS ? `${message.slice(0, SHOWN_CHARACTERS).toWellFormed()}…` : message;
