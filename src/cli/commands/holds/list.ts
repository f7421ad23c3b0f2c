import { Option, type Command } from 'commander';
import { limitOf } from '../../terminal/argument-parsers.js';
import { DONE, type ExitCode } from '../../process/exit-codes.js';
import type { CommandHost, CommandOptions, CommandRun } from '../../process/run-command.js';
import { addCommand, DATABASE_SETTINGS } from '../define-command.js';
import { showHolds } from './output.js';
import { collectPages } from '../../terminal/collect-pages.js';

interface HoldsOptions extends CommandOptions {
  readonly limit: number;
  readonly all?: boolean;
}

export function addHoldsCommand(program: Command, host: CommandHost): void {
  addCommand(program, {
    usage: 'holds',
    summary: 'Lists the holds in the order of their game ids',
    details: 'Holds that are over are listed too, until unhold removes them or another hold replaces them.',
    examples: [
      ['runtime-cleanup holds', 'each held game: until when, by whom and why'],
      [
        'runtime-cleanup holds --all --json',
        'all holds; prints { "holds": [{ gameId, reason, heldBy, heldUntil }], "next": null }',
      ],
    ],
    settings: DATABASE_SETTINGS,
  })
    .addOption(new Option('--limit <count>', 'at most this many holds, up to 1000').argParser(limitOf).default(50))
    .addOption(new Option('--all', 'all holds').conflicts('limit'))
    .action((options: HoldsOptions) => host.runOnce(options, (run) => list(run, options)));
}

async function list(
  { context, backend, output }: CommandRun<'openHolds'>,
  { all, limit }: HoldsOptions,
): Promise<ExitCode> {
  const { holds, close } = await backend.openHolds(context);
  try {
    const wanted = { limit: all === true ? undefined : limit, signal: context.signal };
    const { items, next } = await collectPages(wanted, holds.list);
    if (output.isJson) output.document({ holds: items, next });
    else showHolds(output, items, context.clock.now());
    if (next !== null && !output.isJson) output.note('There are more; add --all or a higher --limit.');
    return DONE;
  } finally {
    await close();
  }
}
