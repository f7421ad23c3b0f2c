import { Option, type Command } from 'commander';
import type { Clock } from '../../../async/clock.js';
import { FAILURE_CODES, type FailureCode } from '../../../domain/error-codes.js';
import type { DeadLetterFilter } from '../../../jobs/dead-letters.js';
import { gameIdOf, lastingOf } from '../../terminal/argument-parsers.js';

export interface FilterOptions {
  readonly code?: FailureCode;
  readonly game?: string;
  /** Milliseconds. */
  readonly olderThan?: number;
}

/** Adds the options that say which dead letters are meant. */
export function addFilterOptions(command: Command): Command {
  return command
    .addOption(new Option('--code <code>', 'only those that failed with this code').choices([...FAILURE_CODES]))
    .option('--game <game-id>', 'only those of this game')
    .addOption(new Option('--older-than <time>', 'only those that failed so long ago: 12h, 7d').argParser(lastingOf));
}

/** Undefined where no option narrows the choice. */
export function filterOf({ code, game, olderThan }: FilterOptions, clock: Clock): DeadLetterFilter | undefined {
  if (code === undefined && game === undefined && olderThan === undefined) return undefined;
  return {
    code,
    gameId: game === undefined ? undefined : gameIdOf(game),
    failedBefore: olderThan === undefined ? undefined : new Date(clock.now().getTime() - olderThan),
  };
}
