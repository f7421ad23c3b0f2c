import type { RetentionPosition } from './ports.js';
import { InvalidPageError } from '../domain/errors.js';

/** Where a plan's page ended, and the moment the plan is judged by, so that all its pages agree. */
export interface PlanCursor {
  readonly asOf: Date;
  readonly after: RetentionPosition;
}

/** The last millisecond of the year 9999: what a database's clock shows lies before it. */
const LAST_CLOCK_MS = 253_402_300_799_999;

/** As text that stands in a URL as it is. */
export function writeCursor({ asOf, after }: PlanCursor): string {
  return Buffer.from(JSON.stringify([asOf.getTime(), after.since, after.gameId])).toString('base64url');
}

/** Throws an `InvalidPageError` for text that `writeCursor` never wrote; whether the position can be, the records know. */
export function readCursor(text: string): PlanCursor {
  const parts = parse(Buffer.from(text, 'base64url').toString());
  if (Array.isArray(parts) && parts.length === 3) {
    const [asOfMs, since, gameId] = parts as readonly unknown[];
    if (isClockMs(asOfMs) && typeof since === 'string' && typeof gameId === 'string') {
      return { asOf: new Date(asOfMs), after: { since, gameId } };
    }
  }
  throw new InvalidPageError('the cursor is none of this plan; allowed: the "next" of the page before');
}

const isClockMs = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= LAST_CLOCK_MS;

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
