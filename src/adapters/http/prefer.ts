/** Longer than that nobody should hold a connection; whoever needs longer asks again. */
const WAIT_MAX_S = 60;

/** How long `Prefer: wait=SECONDS` (RFC 7240) asks to wait, at most a minute; undefined when it does not ask. */
export function preferredWaitS(header: string | readonly string[] | undefined): number | undefined {
  const text = typeof header === 'string' ? header : (header ?? []).join(',');
  for (const preference of text.split(',')) {
    const { seconds } = /^\s*wait\s*=\s*"?(?<seconds>\d{1,9})"?\s*(?:;.*)?$/i.exec(preference)?.groups ?? {};
    // Of one preference that is given twice the first counts.
    if (seconds !== undefined) return Math.min(Number(seconds), WAIT_MAX_S);
  }
  return undefined;
}
