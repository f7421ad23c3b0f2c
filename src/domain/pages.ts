import { InvalidPageError } from './errors.js';
import { parseJson } from './json.js';

/** One page of a keyset-paged listing; pass `next` back to get the page after it. Null: this is the last page. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next: string | null;
}

/** Throws an `InvalidPageError` for an impossible limit. */
export function requireLimit(limit: number): void {
  if (!Number.isSafeInteger(limit) || limit < 1) {
    throw new InvalidPageError(`the limit is ${limit}; it must be a whole number of at least 1`);
  }
}

/** The page of `found`, which holds one item more than the limit where there is another page. */
export function pageOf<Item>(found: readonly Item[], limit: number, cursorOf: (last: Item) => string): Page<Item> {
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return { items, next: found.length > limit && last !== undefined ? cursorOf(last) : null };
}

/** A place in a listing as text that may stand in a URL. */
export function writeCursor(parts: readonly unknown[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/** The parts that `writeCursor` was given; undefined for other text. The caller checks what each part is. */
export function readCursor(text: string): readonly unknown[] | undefined {
  const parts = parseJson(Buffer.from(text, 'base64url').toString());
  return Array.isArray(parts) ? parts : undefined;
}
