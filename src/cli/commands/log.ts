import { Option, type Command } from 'commander';
import type { Page } from '../../domain/pages.js';
import { gameIdOf, limitOf } from '../terminal/argument-parsers.js';
import { DONE, type ExitCode } from '../process/exit-codes.js';
import type { CommandHost, CommandOptions, CommandRun } from '../process/run-command.js';
import { addCommand, DATABASE_SETTINGS } from './define-command.js';
import { type Output, shownTime } from '../terminal/command-output.js';
import type { LoggedOperation } from '../../domain/record-queries.js';

interface LogOptions extends CommandOptions {
  readonly limit: number;
}

export function addLogCommand(program: Command, host: CommandHost): void {
  addCommand(program, {
    usage: 'log <game-id>',
    summary: 'Shows the operation log of one game, newest first',
    examples: [
      ['runtime-cleanup log game-7', 'each attempt on this game: its source, its outcome and its message'],
      ['runtime-cleanup log game-7 --limit 1 --json', 'only the newest row; prints { "operations": [...], "next" }'],
    ],
    settings: DATABASE_SETTINGS,
  })
    .addOption(new Option('--limit <count>', 'at most this many rows, up to 1000').argParser(limitOf).default(20))
    .action((gameId: string, options: LogOptions) =>
      host.runOnce(options, (run) => showLog(run, gameIdOf(gameId), options.limit)),
    );
}

async function showLog(
  { context, backend, output }: CommandRun<'openReader'>,
  gameId: string,
  limit: number,
): Promise<ExitCode> {
  const { queries, close } = await backend.openReader(context);
  try {
    const { items, next } = await queries.listOperations({ gameId, limit });
    if (output.isJson) output.document({ operations: items, next });
    else showOperations(output, { items, next });
    return DONE;
  } finally {
    await close();
  }
}

function showOperations(output: Output, { items: operations, next }: Page<LoggedOperation>): void {
  if (operations.length === 0) {
    output.note('The operation log has no row of this game.');
    return;
  }
  output.table(
    ['FINISHED', 'SOURCE', 'REF', 'ACTOR', 'OUTCOME', 'CODE', 'REMOVAL', 'ENGINE', 'TOOK', 'JOB', 'ATTEMPT', 'MESSAGE'],
    operations.map((row) => [
      shownTime(row.finishedAt),
      row.opSource,
      row.sourceRef,
      row.actor,
      row.outcome,
      row.errorCode,
      row.removal,
      row.engine,
      `${row.finishedAt.getTime() - row.startedAt.getTime()}ms`,
      row.jobId,
      String(row.attempt),
      row.errorMessage,
    ]),
  );
  if (next !== null) output.note('There are older rows; add a higher --limit.');
}
