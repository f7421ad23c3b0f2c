/** For calls that the test does not abort. */
export const neverAborted = new AbortController().signal;

/** Work that ends only when the signal is aborted, and rejects with its reason. */
export const untilAborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });

/** Reads a listing page by page; resolves to its pages. */
export async function allPages<Page extends { readonly next: string | null }>(
  read: (after: string | undefined) => Promise<Page>,
): Promise<readonly Page[]> {
  const pages: Page[] = [];
  for (let after: string | undefined; ;) {
    const page = await read(after);
    pages.push(page);
    if (page.next === null) return pages;
    after = page.next;
  }
}
