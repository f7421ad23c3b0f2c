/** Parsers of arguments and options: each returns the value, or throws an error that says what is allowed. */
import { userInfo } from 'node:os';
import { InvalidArgumentError } from 'commander';
import { parseDurationMs } from '../../config/duration.js';
import { parseShare } from '../../config/parsers.js';
import { gameIdProblem } from '../../domain/operation.js';
import { UsageError } from '../../domain/errors.js';

const DAY_MS = 86_400_000;
const LONGEST_DAYS = 36_500;

/** Reads a game id; throws a `UsageError` for text that is not one. */
export function gameIdOf(text: string): string {
  const gameId = text.trim();
  const problem = gameIdProblem(gameId);
  if (problem !== undefined) throw new UsageError([problem]);
  return gameId;
}

/** Reads `--limit`. */
export function limitOf(text: string): number {
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > 1_000) throw new InvalidArgumentError('Allowed: a whole number from 1 to 1000.');
  return limit;
}

/** Reads a length of time, in milliseconds. It allows days, because holds and dead letters last for days. */
export function lastingOf(text: string): number {
  const [, days] = /^(\d{1,6}(?:\.\d{1,3})?)d$/.exec(text) ?? [];
  const ms = days === undefined ? parseDurationMs(text) : Math.round(Number(days) * DAY_MS);
  if (ms === undefined || ms === 0 || ms > LONGEST_DAYS * DAY_MS) {
    throw new InvalidArgumentError(`Allowed: 30s, 5m, 1h, 7d, up to ${LONGEST_DAYS}d.`);
  }
  return ms;
}

const INSTANT = /^\d{4}-(?<month>\d\d)-(?<day>\d\d)T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d)$/;

/** Reads a time of ISO 8601. The time zone is required: without one the text means another time on another machine. */
export function instantOf(text: string): Date {
  const { month, day } = INSTANT.exec(text)?.groups ?? {};
  const instant = new Date(month === undefined ? Number.NaN : text);
  // JavaScript reads the 30th of February as the 2nd of March.
  const isOnCalendar = new Date(`${text.slice(0, 10)}T00:00:00Z`).getUTCDate() === Number(day);
  if (Number.isNaN(instant.getTime()) || !isOnCalendar) {
    throw new InvalidArgumentError(
      'Allowed: date, time and time zone, as 2030-01-31T18:00Z or 2030-01-31T18:00+01:00.',
    );
  }
  return instant;
}

/** Reads `--max-share`. */
export function shareOf(text: string): number {
  const share = parseShare(text);
  if (share === undefined) throw new InvalidArgumentError('Allowed: above 0 and at most 100%, as 80% or 0.8.');
  return share;
}

const FASTEST = 10_000;

/** Reads `--rate`. */
export function rateOf(text: string): number {
  const rate = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (rate < 1 || rate > FASTEST) throw new InvalidArgumentError(`Allowed: a whole number from 1 to ${FASTEST}.`);
  return rate;
}

/** Throws a `UsageError` unless `text` is one line that can be stored. */
export function requireLine(option: string, text: string, maxCharacters: number): void {
  const wrong = (what: string) =>
    new UsageError([`${option} ${what}; allowed: 1 to ${maxCharacters} characters, one line`]);
  const characters = Array.from(text).length;
  if (characters === 0) throw wrong('is empty');
  if (characters > maxCharacters) throw wrong(`has ${characters} characters`);
  if (!text.isWellFormed() || /\p{Cc}/u.test(text)) {
    throw wrong(`${JSON.stringify(text)} has a control character or is not well-formed Unicode`);
  }
}

const ACTOR_MAX_CHARACTERS = 100;

/** Reads `--by`; without it the name, or else the number, of the user who runs the command. */
export function actorOf(by: string | undefined): string {
  const actor = (by ?? userName()).trim();
  requireLine('--by', actor, ACTOR_MAX_CHARACTERS);
  return actor;
}

/** A container may run as a number that has no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.() ?? 'without a name'}`;
  }
}
