import { Option, type Command } from 'commander';
import type { HoldEnd } from '../../../retention/holds.js';
import { gameIdOf, instantOf, lastingOf, personOf, requireLine } from '../../terminal/argument-parsers.js';
import { UsageError } from '../../../domain/errors.js';
import { DONE, type ExitCode } from '../../process/exit-codes.js';
import { formatHold, showPutHold } from './output.js';
import type { CommandHost, CommandOptions, CommandRun } from '../../process/run-command.js';
import { addCommand, DATABASE_SETTINGS } from '../define-command.js';
import { visible } from '../../../domain/text.js';

interface HoldOptions extends CommandOptions {
  readonly reason: string;
  /** Milliseconds. */
  readonly for?: number;
  readonly until?: Date;
  readonly by?: string;
}

const REASON_MAX_CHARACTERS = 500;

export function addHoldCommand(program: Command, host: CommandHost): void {
  addCommand(program, {
    usage: 'hold <game-id>',
    summary: "Keeps a game's stopped container from the retention sweep",
    details:
      'An administrator can still have the container removed. A new hold replaces the existing one; a hold may be set before the game has a record.',
    examples: [
      ['runtime-cleanup hold game-7 --reason "crash under investigation" --for 7d', 'for a week, in your name'],
      ['runtime-cleanup hold game-7 --reason evidence --by kim', 'until unhold removes it'],
      [
        'runtime-cleanup hold game-7 --reason tournament --until 2030-01-31T18:00Z --json',
        'prints { "hold": { gameId, reason, heldBy, heldUntil }, "replaced": hold or null, "hasRecord" }',
      ],
    ],
    settings: DATABASE_SETTINGS,
  })
    .requiredOption('--reason <text>', 'why the container is kept')
    .addOption(new Option('--for <time>', 'how long, from now: 12h, 7d').argParser(lastingOf).conflicts('until'))
    .addOption(new Option('--until <instant>', 'the end of the hold: 2030-01-31T18:00Z').argParser(instantOf))
    .option('--by <who>', 'who holds it; default: your user name')
    .action((gameId: string, options: HoldOptions) => host.runOnce(options, (run) => hold(run, gameId, options)));
}

async function hold(
  { context, backend, output }: CommandRun<'openHolds'>,
  text: string,
  options: HoldOptions,
): Promise<ExitCode> {
  const gameId = gameIdOf(text);
  const reason = options.reason.trim();
  requireLine('--reason', reason, REASON_MAX_CHARACTERS);
  const heldBy = personOf(options.by);
  if (options.until !== undefined && options.until <= context.clock.now()) {
    throw new UsageError([`--until ${options.until.toISOString()} is in the past; allowed: a time in the future`]);
  }
  const { holds, queries, close } = await backend.openHolds(context);
  try {
    const hasRecord = (await queries.findRecord(gameId)) !== undefined;
    const put = await holds.put({ gameId, reason, heldBy, end: endOf(options) });
    if (output.isJson) output.document({ ...put, hasRecord });
    else showPutHold(output, { ...put, hasRecord });
    return DONE;
  } finally {
    await close();
  }
}

function endOf({ for: forMs, until }: HoldOptions): HoldEnd {
  if (forMs !== undefined) return { forMs };
  return until === undefined ? null : { until };
}

export function addUnholdCommand(program: Command, host: CommandHost): void {
  addCommand(program, {
    usage: 'unhold <game-id>',
    summary: 'Removes a hold',
    details: 'The next sweep may then have the container removed. Exits with 0 when the game is not held.',
    examples: [
      ['runtime-cleanup unhold game-7', 'removes the hold and shows it'],
      ['runtime-cleanup unhold game-7 --json', 'prints { "removed": { gameId, reason, heldBy, heldUntil } or null }'],
    ],
    settings: DATABASE_SETTINGS,
  }).action((gameId: string, options: CommandOptions) => host.runOnce(options, (run) => unhold(run, gameIdOf(gameId))));
}

async function unhold({ context, backend, output }: CommandRun<'openHolds'>, gameId: string): Promise<ExitCode> {
  const { holds, close } = await backend.openHolds(context);
  try {
    const removed = await holds.remove(gameId);
    if (output.isJson) output.document({ removed: removed ?? null });
    else if (removed === undefined) output.line(visible(`${gameId} was not held.`));
    else output.line(visible(`${gameId} is no longer held. It was held ${formatHold(removed)}`));
    return DONE;
  } finally {
    await close();
  }
}
