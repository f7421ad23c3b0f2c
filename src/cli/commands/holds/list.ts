import { Option, type Command } from 'commander';
import type { Hold } from '../../../retention/holds.js';
import { limitOf } from '../../terminal/argument-parsers.js';
import { DONE, type ExitCode } from '../../process/exit-codes.js';
import type { CommandHost, CommandOptions, Run } from '../../process/run-command.js';
import { addCommand, DATABASE_SETTINGS } from '../define-command.js';
import { shownTime } from '../../terminal/output.js';
import { collectPages } from '../../terminal/collect-pages.js';

interface HoldsOptions extends CommandOptions {
  readonly limit: number;
  readonly all?: boolean;
}

export function addHoldsCommand(program: Command, host: CommandHost): void {
  addCommand(program, {
    usage: 'holds',
    summary: 'Lists the holds in the order of their game ids',
    details: 'Those that have run out too, until unhold takes them away or another hold replaces them.',
    examples: [
      ['runtime-cleanup holds', 'who holds what, until when, and why'],
      [
        'runtime-cleanup holds --all --json',
        'everything; prints { "holds": [{ gameId, reason, heldBy, heldUntil }], "next": null }',
      ],
    ],
    settings: DATABASE_SETTINGS,
  })
    .addOption(new Option('--limit <count>', 'at most this many holds, up to 1000').argParser(limitOf).default(50))
    .addOption(new Option('--all', 'all holds').conflicts('limit'))
    .action((options: HoldsOptions) => host.runOnce(options, (run) => list(run, options)));
}

async function list({ session, world, output }: Run, { all, limit }: HoldsOptions): Promise<ExitCode> {
  const { holds, close } = await world.openHolds(session);
  try {
    const wanted = { limit: all === true ? undefined : limit, signal: session.signal };
    const { items, next } = await collectPages(wanted, holds.list);
    if (output.isJson) output.document({ holds: items, next });
    else show(output, items, session.clock.now());
    if (next !== null && !output.isJson) output.note('There are more; add --all or a higher --limit.');
    return DONE;
  } finally {
    await close();
  }
}

function show(output: Run['output'], holds: readonly Hold[], now: Date): void {
  if (holds.length === 0) {
    output.note('Nothing is held.');
    return;
  }
  output.table(
    ['GAME', 'UNTIL', 'BY', 'REASON'],
    holds.map(({ gameId, heldUntil, heldBy, reason }) => [gameId, untilOf(heldUntil, now), heldBy, reason]),
  );
}

function untilOf(heldUntil: Date | null, now: Date): string {
  if (heldUntil === null) return 'for good';
  return heldUntil <= now ? `${shownTime(heldUntil)} (over)` : shownTime(heldUntil);
}
