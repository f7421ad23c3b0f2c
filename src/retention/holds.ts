import type { Page } from '../domain/pages.js';

/** Keeps a game's stopped container from `auto_ttl`, not from an administrator. */
export interface Hold {
  readonly gameId: string;
  readonly reason: string;
  readonly heldBy: string;
  /** Null: until it is removed. */
  readonly heldUntil: Date | null;
}

/** How long a new hold lasts: for a time counted from now by the database's clock, until an instant, or until it is removed. */
export type HoldEnd = { readonly forMs: number } | { readonly until: Date } | null;

export interface NewHold {
  readonly gameId: string;
  readonly reason: string;
  readonly heldBy: string;
  readonly end: HoldEnd;
}

/** The holds. Members reject with `UnavailableError` when the database cannot answer. */
export interface Holds {
  /** Sets or replaces the game's hold; resolves to it as it is stored, and to the one that it replaced. */
  readonly put: (hold: NewHold) => Promise<{ readonly hold: Hold; readonly replaced: Hold | null }>;
  /** Removes the game's hold; resolves to it, or to undefined where the game had none. */
  readonly remove: (gameId: string) => Promise<Hold | undefined>;
  /** All holds in game id order, those that have run out too. */
  readonly list: (query: { readonly after?: string | undefined; readonly limit: number }) => Promise<Page<Hold>>;
}
