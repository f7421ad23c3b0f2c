/** Longer than that nobody should hold a connection; whoever needs longer asks again. */
const WAIT_MAX_S = 60;
const WAIT = /^\s*wait\s*=\s*(?:"(?<quoted>\d{1,9})"|(?<plain>\d{1,9}))\s*(?:;|$)/i;

/** How long `Prefer: wait=SECONDS` (RFC 7240) asks to wait, at most a minute; undefined when it does not ask. */
export function preferredWaitS(header: string | readonly string[] | undefined): number | undefined {
  const text = typeof header === 'string' ? header : (header ?? []).join(',');
  // Of one preference that is given twice the first counts.
  for (const preference of outsideQuotes(text)) {
    const { quoted, plain = quoted } = WAIT.exec(preference)?.groups ?? {};
    if (plain !== undefined) return Math.min(Number(plain), WAIT_MAX_S);
  }
  return undefined;
}

/** The members of a list; a comma within quotes parts nothing. */
function outsideQuotes(list: string): readonly string[] {
  const members = [''];
  let quoted = false;
  for (let at = 0; at < list.length; at++) {
    const character = list.charAt(at);
    if (character === '"') quoted = !quoted;
    if (character === ',' && !quoted) members.push('');
    else members[members.length - 1] += character === '\\' && quoted ? list.slice(at, ++at + 1) : character;
  }
  return members;
}
