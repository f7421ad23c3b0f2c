/** Which dead letters a command is for: by their job ids, by a filter, or all; and how it goes through them. */
import { Option, type Command } from 'commander';
import type { Clock } from '../../../async/clock.js';
import { FAILURE_CODES, type FailureCode } from '../../../domain/error-codes.js';
import { UsageError } from '../../../domain/errors.js';
import type {
  BulkOptions,
  BulkTally,
  DeadLetterFilter,
  PurgeAnswer,
  ReplayAnswer,
} from '../../../jobs/dead-letters.js';
import { DONE, type ExitCode, FAILED } from '../../process/exit-codes.js';
import type { CommandOptions, CommandRun } from '../../process/run-command.js';
import { gameIdOf, lastingOf, rateOf } from '../../terminal/argument-parsers.js';
import { followProgress } from '../../terminal/progress.js';
import { type Action, type Answered, showAnswers, showTally } from './output.js';

export interface FilterOptions {
  readonly code?: FailureCode;
  readonly game?: string;
  /** Milliseconds. */
  readonly olderThan?: number;
}

/** Adds the options that narrow the dead letters. */
export function addFilterOptions(command: Command): Command {
  return command
    .addOption(new Option('--code <code>', 'only those that failed with this code').choices([...FAILURE_CODES]))
    .option('--game <game-id>', 'only those of this game')
    .addOption(
      new Option('--older-than <time>', 'only those that failed at least this long ago: 12h, 7d').argParser(lastingOf),
    );
}

/** Undefined when no option narrows the dead letters. */
export function filterOf({ code, game, olderThan }: FilterOptions, clock: Clock): DeadLetterFilter | undefined {
  if (code === undefined && game === undefined && olderThan === undefined) return undefined;
  return {
    code,
    gameId: game === undefined ? undefined : gameIdOf(game),
    failedBefore: olderThan === undefined ? undefined : new Date(clock.now().getTime() - olderThan),
  };
}

export interface SelectionOptions extends CommandOptions, FilterOptions {
  readonly all?: boolean;
  readonly rate?: number;
}

/** Which dead letters a command changes. */
export type Selection =
  | { readonly kind: 'jobs'; readonly jobIds: readonly string[] }
  | { readonly kind: 'bulk'; readonly filter: DeadLetterFilter; readonly perSecond: number | undefined };

export function addSelectionOptions(command: Command): Command {
  return addFilterOptions(command)
    .option('--all', 'all dead letters')
    .addOption(new Option('--rate <count>', 'at most this many a second').argParser(rateOf));
}

/** Job ids, a filter, or `--all`: a command without any of them must not mean all. */
export function selectionOf(jobIds: readonly string[], options: SelectionOptions, clock: Clock): Selection {
  const filter = filterOf(options, clock);
  const isBulk = filter !== undefined || options.all === true;
  if (jobIds.length > 0) {
    if (isBulk || options.rate !== undefined) {
      throw new UsageError(['job ids cannot be combined with --code, --game, --older-than, --all or --rate']);
    }
    requireJobIds(jobIds);
    return { kind: 'jobs', jobIds: [...new Set(jobIds)] };
  }
  if (!isBulk) {
    throw new UsageError(['no dead letters are named; allowed: job ids, or --code, --game, --older-than, or --all']);
  }
  if (filter !== undefined && options.all === true) {
    throw new UsageError(['--all means every dead letter; leave it out, or leave out --code, --game and --older-than']);
  }
  return { kind: 'bulk', filter: filter ?? {}, perSecond: options.rate };
}

const JOB_ID_MAX_CHARACTERS = 1_000;

/** Throws a `UsageError` for text that cannot be the id of a job. */
export function requireJobIds(jobIds: readonly string[]): void {
  const lines = jobIds.flatMap((jobId) => {
    const found = JSON.stringify(jobId.slice(0, 80));
    if (jobId === '') return ['a job id is empty; dead-letters list shows the existing ones'];
    if (!jobId.isWellFormed() || jobId.includes('\0')) return [`job id ${found} is not storable text`];
    return jobId.length > JOB_ID_MAX_CHARACTERS
      ? [`job id ${found}… is too long; allowed: at most ${JOB_ID_MAX_CHARACTERS} characters`]
      : [];
  });
  if (lines.length > 0) throw new UsageError(lines);
}

/**
 * Calls `change` for one job after the other and shows the answers; fails when a job is missing. Answers that came before
 * an outage are shown too.
 */
export async function forEachJob(
  { context, output }: CommandRun,
  jobIds: readonly string[],
  change: (jobId: string) => Promise<ReplayAnswer | PurgeAnswer>,
): Promise<ExitCode> {
  const jobs: Answered[] = [];
  try {
    for (const jobId of jobIds) {
      context.signal.throwIfAborted();
      jobs.push({ jobId, ...(await change(jobId)) });
    }
  } catch (thrown) {
    if (jobs.length > 0) showAnswers(output, jobs);
    throw thrown;
  }
  showAnswers(output, jobs);
  return jobs.some(({ status }) => status === 'missing') ? FAILED : DONE;
}

/** Changes many dead letters, with progress; when it is stopped it says how many are done. */
export async function forMany(
  { context, output }: CommandRun,
  action: Action,
  change: (options: Required<Pick<BulkOptions, 'onProgress' | 'signal'>>) => Promise<BulkTally>,
): Promise<ExitCode> {
  const progress = followProgress(output, action);
  try {
    const tally = await change({ onProgress: progress.onProgress, signal: context.signal });
    progress.stop();
    return showTally(output, action, tally);
  } catch (thrown) {
    progress.stop();
    if (progress.done() > 0) output.note(`${progress.done()} were ${action}; run the command again for the rest.`);
    throw thrown;
  }
}
