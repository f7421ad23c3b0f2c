import { Option, type Command } from 'commander';
import type { Clock } from '../../../async/clock.js';
import type { DeadLetterFilter } from '../../../jobs/dead-letters.js';
import { rateOf } from '../../terminal/argument-parsers.js';
import { addFilterOptions, filterOf, type FilterOptions } from './filter.js';
import { UsageError } from '../../process/exit-codes.js';
import type { CommandOptions } from '../../process/run-command.js';

export interface ChoiceOptions extends CommandOptions, FilterOptions {
  readonly all?: boolean;
  readonly rate?: number;
}

/** Which dead letters something is to be done to. */
export type Choice =
  | { readonly kind: 'jobs'; readonly jobIds: readonly string[] }
  | { readonly kind: 'bulk'; readonly filter: DeadLetterFilter; readonly perSecond: number | undefined };

export function addChoiceOptions(command: Command): Command {
  return addFilterOptions(command)
    .option('--all', 'all dead letters there are')
    .addOption(new Option('--rate <count>', 'at most this many a second').argParser(rateOf));
}

/** Either jobs by their ids, or a filter, or all: a choice that is not made must not mean all. */
export function choiceOf(jobIds: readonly string[], options: ChoiceOptions, clock: Clock): Choice {
  const filter = filterOf(options, clock);
  const isBulk = filter !== undefined || options.all === true;
  if (jobIds.length > 0) {
    if (isBulk || options.rate !== undefined) {
      throw new UsageError([
        'job ids choose by themselves; --code, --game, --older-than, --all and --rate go without them',
      ]);
    }
    requireJobIds(jobIds);
    return { kind: 'jobs', jobIds: [...new Set(jobIds)] };
  }
  if (!isBulk) throw new UsageError(['which ones? allowed: job ids, or --code, --game, --older-than, or --all']);
  if (filter !== undefined && options.all === true) {
    throw new UsageError(['--all means every dead letter there is; leave it out, or --code, --game and --older-than']);
  }
  return { kind: 'bulk', filter: filter ?? {}, perSecond: options.rate };
}

const JOB_ID_MAX_CHARACTERS = 1_000;

/** Throws a `UsageError` for text that no job can have for its id. */
export function requireJobIds(jobIds: readonly string[]): void {
  const lines = jobIds.flatMap((jobId) => {
    const found = JSON.stringify(jobId.slice(0, 80));
    if (jobId === '') return ['a job id is empty; dead-letters list shows those there are'];
    if (!jobId.isWellFormed() || jobId.includes('\0')) return [`job id ${found} is not storable text`];
    return jobId.length > JOB_ID_MAX_CHARACTERS ? [`job id ${found}… is too long to be one`] : [];
  });
  if (lines.length > 0) throw new UsageError(lines);
}
