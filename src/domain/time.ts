/** Facts about instants that several rooms need; a clock is in `async/clock.ts`. */

export const DAY_MS = 86_400_000;

/** `Date` knows the instants up to so many milliseconds from the epoch; PostgreSQL knows more, and infinity. */
export const LAST_INSTANT_MS = 8.64e15;

/** ISO 8601; `unknown` where the instant is one that `Date` does not know. */
export const isoText = (instant: Date, unknown = ''): string =>
  Number.isNaN(instant.getTime()) ? unknown : instant.toISOString();
