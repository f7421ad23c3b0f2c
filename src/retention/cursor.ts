import { InvalidPageError } from '../domain/errors.js';
import { readCursor, writeCursor } from '../domain/pages.js';
import type { RetentionPosition } from './ports.js';

/** Where a page of the plan ended, and the moment that the plan is judged by, so that all its pages agree. */
export interface PlanCursor {
  readonly asOf: Date;
  readonly after: RetentionPosition;
}

/** The last millisecond of the year 9999: what a database's clock shows lies before it. */
const LAST_CLOCK_MS = 253_402_300_799_999;

export const writePlanCursor = ({ asOf, after }: PlanCursor): string =>
  writeCursor([asOf.getTime(), after.since, after.gameId]);

/** Throws an `InvalidPageError` for text that `writePlanCursor` never wrote; the records check the position itself. */
export function readPlanCursor(text: string): PlanCursor {
  const [asOfMs, since, gameId, ...rest] = readCursor(text) ?? [];
  if (isClockMs(asOfMs) && typeof since === 'string' && typeof gameId === 'string' && rest.length === 0) {
    return { asOf: new Date(asOfMs), after: { since, gameId } };
  }
  throw new InvalidPageError('the cursor is not from this plan; allowed: the "next" of the page before');
}

const isClockMs = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= LAST_CLOCK_MS;
