import type { Page } from '../../domain/pages.js';

interface Wanted {
  /** Undefined: all of them. */
  readonly limit: number | undefined;
  readonly signal: AbortSignal;
}

interface Collected<Item> {
  readonly items: readonly Item[];
  /** The cursor of the rest; null: there are no more. */
  readonly next: string | null;
}

const PAGE_SIZE = 500;

/** Reads page after page until `limit` items are read. */
export async function collectPages<Item>(
  { limit = Number.POSITIVE_INFINITY, signal }: Wanted,
  readPage: (page: { readonly after: string | undefined; readonly limit: number }) => Promise<Page<Item>>,
): Promise<Collected<Item>> {
  const items: Item[] = [];
  let next: string | null = null;
  do {
    signal.throwIfAborted();
    const page: Page<Item> = await readPage({
      after: next ?? undefined,
      limit: limit === Number.POSITIVE_INFINITY ? PAGE_SIZE : limit - items.length,
    });
    items.push(...page.items);
    next = page.next;
  } while (next !== null && items.length < limit);
  return { items, next };
}
