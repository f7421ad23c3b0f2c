import { Option, type Command } from 'commander';
import type { Page } from '../../../domain/pages.js';
import { recordToJson } from '../../../domain/result.js';
import { RUNTIME_STATUSES, type RuntimeRecord, type RuntimeStatus } from '../../../domain/runtime-record.js';
import { limitOf } from '../../terminal/argument-parsers.js';
import { DONE, type ExitCode } from '../../process/exit-codes.js';
import type { CommandHost, CommandOptions, CommandRun } from '../../process/run-command.js';
import { addCommand, DATABASE_SETTINGS } from '../define-command.js';
import { type Output, shownTime } from '../../terminal/command-output.js';
import { addReopenCommand } from './reopen.js';
import { collectPages } from '../../terminal/collect-pages.js';

interface RecordsOptions extends CommandOptions {
  readonly status?: RuntimeStatus;
  readonly limit: number;
  readonly all?: boolean;
}

/** The command lists; `reopen` is a command below it. */
export function addRecordsCommand(program: Command, host: CommandHost): void {
  const records = addCommand(program, {
    usage: 'records',
    summary: 'Lists runtime records in the order of their game ids',
    examples: [
      ['runtime-cleanup records --status stopped', 'games whose container is still to be removed'],
      ['runtime-cleanup records reopen game-7', 'undo a cleanup that found a container gone that exists'],
      ['runtime-cleanup records --all --json', 'all records; prints { "records": [...], "next": null }'],
    ],
    settings: DATABASE_SETTINGS,
  })
    .addOption(new Option('--status <status>', 'only records of this status').choices([...RUNTIME_STATUSES]))
    .addOption(new Option('--limit <count>', 'at most this many records, up to 1000').argParser(limitOf).default(50))
    .addOption(new Option('--all', 'all records').conflicts('limit'))
    .action((options: RecordsOptions) => host.runOnce(options, (run) => listRecords(run, options)));
  addReopenCommand(records, host);
}

async function listRecords(
  { context, backend, output }: CommandRun<'openReader'>,
  options: RecordsOptions,
): Promise<ExitCode> {
  const { queries, close } = await backend.openReader(context);
  try {
    const wanted = { limit: options.all === true ? undefined : options.limit, signal: context.signal };
    const { items, next } = await collectPages(wanted, (page) =>
      queries.listRecords({ status: options.status, ...page }),
    );
    if (output.isJson) output.document({ records: items.map(recordToJson), next });
    else showRecords(output, { items, next });
    return DONE;
  } finally {
    await close();
  }
}

function showRecords(output: Output, { items: records, next }: Page<RuntimeRecord>): void {
  if (records.length === 0) {
    output.note('There are no such records.');
    return;
  }
  output.table(
    ['GAME', 'STATUS', 'CONTAINER', 'IMAGE', 'STOPPED', 'LAST OPERATION'],
    records.map((record) => [
      record.gameId,
      record.status,
      record.currentContainerId?.slice(0, 12) ?? '',
      record.currentImageRef ?? '',
      shownTime(record.stoppedAt),
      shownTime(record.lastOpAt),
    ]),
  );
  if (next !== null) output.note('There are more; add --all or a higher --limit.');
}
