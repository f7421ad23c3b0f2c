import { userInfo } from 'node:os';
import { Option, type Command } from 'commander';
import type { Hold, HoldEnd } from '../../../retention/holds.js';
import { gameIdOf, instantOf, lastingOf, requireLine } from '../../terminal/argument-parsers.js';
import { DONE, type ExitCode, UsageError } from '../../process/exit-codes.js';
import { holdInWords } from './words.js';
import type { CommandHost, CommandOptions, Run } from '../../process/run-command.js';
import { addCommand, DATABASE_SETTINGS } from '../define-command.js';
import { shown } from '../../terminal/output.js';

interface HoldOptions extends CommandOptions {
  readonly reason: string;
  /** Milliseconds. */
  readonly for?: number;
  readonly until?: Date;
  readonly by?: string;
}

const REASON_MAX_CHARACTERS = 500;
const HOLDER_MAX_CHARACTERS = 100;

export function addHoldCommand(program: Command, host: CommandHost): void {
  addCommand(program, {
    usage: 'hold <game-id>',
    summary: "Keeps a game's stopped container from the retention sweep",
    details:
      'An administrator can still have it removed. A hold replaces the one before it; it may be set before there is a record of the game.',
    examples: [
      ['runtime-cleanup hold game-7 --reason "crash under investigation" --for 7d', 'for a week, in your name'],
      ['runtime-cleanup hold game-7 --reason evidence --by kim', 'until somebody takes it away with unhold'],
      [
        'runtime-cleanup hold game-7 --reason tournament --until 2030-01-31T18:00Z --json',
        'prints { "hold": { gameId, reason, heldBy, heldUntil }, "replaced": hold or null, "hasRecord" }',
      ],
    ],
    settings: DATABASE_SETTINGS,
  })
    .requiredOption('--reason <text>', 'why, for whoever asks later')
    .addOption(new Option('--for <time>', 'for so long from now: 12h, 7d').argParser(lastingOf).conflicts('until'))
    .addOption(new Option('--until <instant>', 'until then: 2030-01-31T18:00Z').argParser(instantOf))
    .option('--by <who>', 'who holds it; default: your user name')
    .action((gameId: string, options: HoldOptions) => host.runOnce(options, (run) => hold(run, gameId, options)));
}

async function hold({ session, world, output }: Run, text: string, options: HoldOptions): Promise<ExitCode> {
  const gameId = gameIdOf(text);
  const reason = options.reason.trim();
  requireLine('--reason', reason, REASON_MAX_CHARACTERS);
  const heldBy = (options.by ?? userName()).trim();
  requireLine('--by', heldBy, HOLDER_MAX_CHARACTERS);
  if (options.until !== undefined && options.until <= session.clock.now()) {
    throw new UsageError([`--until ${options.until.toISOString()} is in the past; allowed: an instant to come`]);
  }
  const { holds, queries, close } = await world.openHolds(session);
  try {
    const hasRecord = (await queries.findRecord(gameId)) !== undefined;
    const put = await holds.put({ gameId, reason, heldBy, end: endOf(options) });
    if (output.isJson) output.document({ ...put, hasRecord });
    else tell(output, { ...put, hasRecord });
    return DONE;
  } finally {
    await close();
  }
}

function endOf({ for: forMs, until }: HoldOptions): HoldEnd {
  if (forMs !== undefined) return { forMs };
  return until === undefined ? null : { until };
}

/** The user who runs this, or nothing where the system has no name for the number it runs as. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    throw new UsageError(['--by is needed: this user has no name on this system']);
  }
}

interface PutHold {
  readonly hold: Hold;
  readonly replaced: Hold | null;
  readonly hasRecord: boolean;
}

function tell(output: Run['output'], { hold, replaced, hasRecord }: PutHold): void {
  output.line(shown(`${hold.gameId} is held ${holdInWords(hold)}`));
  if (replaced !== null) output.note(shown(`This replaces the hold ${holdInWords(replaced)}`));
  if (!hasRecord)
    output.note(
      shown(`There is no runtime record of ${hold.gameId} yet; check the id. The hold stays for when there is one.`),
    );
}

export function addUnholdCommand(program: Command, host: CommandHost): void {
  addCommand(program, {
    usage: 'unhold <game-id>',
    summary: 'Takes a hold away',
    details: 'The next sweep may then remove the container. A game that is not held is no failure.',
    examples: [
      ['runtime-cleanup unhold game-7', 'says which hold it was'],
      ['runtime-cleanup unhold game-7 --json', 'prints { "removed": { gameId, reason, heldBy, heldUntil } or null }'],
    ],
    settings: DATABASE_SETTINGS,
  }).action((gameId: string, options: CommandOptions) => host.runOnce(options, (run) => unhold(run, gameIdOf(gameId))));
}

async function unhold({ session, world, output }: Run, gameId: string): Promise<ExitCode> {
  const { holds, close } = await world.openHolds(session);
  try {
    const removed = await holds.remove(gameId);
    if (output.isJson) output.document({ removed: removed ?? null });
    else if (removed === undefined) output.line(shown(`${gameId} was not held.`));
    else output.line(shown(`${gameId} is no longer held. It was, ${holdInWords(removed)}`));
    return DONE;
  } finally {
    await close();
  }
}
