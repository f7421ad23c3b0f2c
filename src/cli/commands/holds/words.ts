import type { Hold } from '../../../retention/holds.js';
import { shownTime } from '../../terminal/output.js';

/** How long a hold lasts, in words that follow "held". */
export const endOfHold = ({ heldUntil }: Pick<Hold, 'heldUntil'>): string =>
  heldUntil === null ? 'for good' : `until ${shownTime(heldUntil)}`;

/** A hold in one line, without its game. */
export const holdInWords = (hold: Hold): string => `${endOfHold(hold)} by ${hold.heldBy}: ${hold.reason}`;
