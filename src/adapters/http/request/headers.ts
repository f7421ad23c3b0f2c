/** What the headers of a request mean: its id, how long its caller waits, and who the caller is. */
import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { sourceRefProblem } from '../../../domain/operation.js';

/** The id that the caller sent; the empty string when it sent none. */
const sentId = (headers: IncomingHttpHeaders): string => {
  const sent = headers['x-request-id'];
  return typeof sent === 'string' ? decodeHeader(sent.trim()) : '';
};

/** Node decodes headers as Latin-1, but most clients that send more than ASCII send UTF-8. */
function decodeHeader(header: string): string {
  const text = Buffer.from(header, 'latin1').toString();
  return text.includes('\u{FFFD}') ? header : text;
}

/** Why the caller's id cannot be used; undefined when it can. */
export function requestIdProblem(headers: IncomingHttpHeaders): string | undefined {
  const problem = sourceRefProblem(sentId(headers));
  return problem === undefined ? undefined : `X-Request-Id: as ${problem}`;
}

/** The caller's id; a new one when the caller sent none or one that cannot be used. */
export function requestIdOf(headers: IncomingHttpHeaders): string {
  const sent = sentId(headers);
  return sent === '' || sourceRefProblem(sent) !== undefined ? randomUUID() : sent;
}

/** The request's id as header bytes. The caller's own id is sent back byte for byte. */
export function requestIdHeader(id: string, headers: IncomingHttpHeaders): string {
  return sentId(headers) === id ? String(headers['x-request-id']).trim() : id;
}

/** The operation source of a request: the game master if `X-Galaxy-Caller` names it, otherwise an administrator. */
export function opSourceOf(headers: IncomingHttpHeaders): 'gm_rest' | 'admin_rest' {
  const caller = String(headers['x-galaxy-caller'] ?? '');
  return caller.trim().toLowerCase() === 'gm' ? 'gm_rest' : 'admin_rest';
}

const ACTOR_MAX_CHARACTERS = 100;

/** Who asks, for the operation log: the caller's own name, otherwise an administrator. */
export function actorOf(headers: IncomingHttpHeaders): string {
  const caller = decodeHeader(String(headers['x-galaxy-caller'] ?? '').trim());
  return caller === '' ? 'admin' : caller.slice(0, ACTOR_MAX_CHARACTERS).toWellFormed();
}

/** Limits how long one request holds a connection; a caller that needs longer asks again. */
const WAIT_MAX_S = 60;
const WAIT = /^\s*wait\s*=\s*(?:"(?<quoted>\d{1,9})"|(?<plain>\d{1,9}))\s*(?:;|$)/i;

/** The seconds of `Prefer: wait=SECONDS` (RFC 7240), at most 60; undefined when the header has no such preference. */
export function preferredWaitS(header: string | readonly string[] | undefined): number | undefined {
  const text = typeof header === 'string' ? header : (header ?? []).join(',');
  // RFC 7240: the first of two equal preferences counts.
  for (const preference of splitOutsideQuotes(text)) {
    const { quoted, plain = quoted } = WAIT.exec(preference)?.groups ?? {};
    if (plain !== undefined) return Math.min(Number(plain), WAIT_MAX_S);
  }
  return undefined;
}

/** The members of a list header. A comma within quotes does not separate members. */
function splitOutsideQuotes(list: string): readonly string[] {
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
