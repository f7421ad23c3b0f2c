import { visible } from '../../../domain/text.js';
import type { Hold } from '../../../retention/holds.js';
import { type Output, shownTime } from '../../terminal/command-output.js';

/** How long a hold lasts, to follow the word "held". */
export const formatHoldEnd = ({ heldUntil }: Pick<Hold, 'heldUntil'>): string =>
  heldUntil === null ? 'without an end' : `until ${shownTime(heldUntil)}`;

/** A hold in one line, without its game. */
export const formatHold = (hold: Hold): string => `${formatHoldEnd(hold)} by ${hold.heldBy}: ${hold.reason}`;

export interface PutHold {
  readonly hold: Hold;
  readonly replaced: Hold | null;
  readonly hasRecord: boolean;
}

export function showPutHold(output: Output, { hold, replaced, hasRecord }: PutHold): void {
  output.line(visible(`${hold.gameId} is held ${formatHold(hold)}`));
  if (replaced !== null) output.note(visible(`This replaces the hold ${formatHold(replaced)}`));
  if (hasRecord) return;
  output.note(
    visible(`There is no runtime record of ${hold.gameId}; check the id. The hold applies once there is a record.`),
  );
}

export function showHolds(output: Output, holds: readonly Hold[], now: Date): void {
  if (holds.length === 0) {
    output.note('There are no holds.');
    return;
  }
  output.table(
    ['GAME', 'UNTIL', 'BY', 'REASON'],
    holds.map(({ gameId, heldUntil, heldBy, reason }) => [gameId, untilCell(heldUntil, now), heldBy, reason]),
  );
}

function untilCell(heldUntil: Date | null, now: Date): string {
  if (heldUntil === null) return 'no end';
  return heldUntil <= now ? `${shownTime(heldUntil)} (over)` : shownTime(heldUntil);
}
