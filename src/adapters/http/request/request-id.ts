import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { sourceRefProblem } from '../../../domain/operation.js';

/** The id the caller gave; the empty string where there is none. */
const givenIn = (headers: IncomingHttpHeaders): string => {
  const given = headers['x-request-id'];
  return typeof given === 'string' ? readable(given.trim()) : '';
};

/** Node hands headers on byte for byte as if they were Latin-1; most who send more than ASCII mean UTF-8. */
function readable(header: string): string {
  const text = Buffer.from(header, 'latin1').toString();
  return text.includes('\u{FFFD}') ? header : text;
}

/** Why the caller's id cannot be taken, or undefined when it can. */
export function requestIdProblem(headers: IncomingHttpHeaders): string | undefined {
  const problem = sourceRefProblem(givenIn(headers));
  return problem === undefined ? undefined : `X-Request-Id: as ${problem}`;
}

/** The caller's own id, or a new one where there is none that can be taken. */
export function requestIdOf(headers: IncomingHttpHeaders): string {
  const given = givenIn(headers);
  return given === '' || sourceRefProblem(given) !== undefined ? randomUUID() : given;
}

/** A request's id as header bytes: as it came, where it came. */
export function requestIdHeader(id: string, headers: IncomingHttpHeaders): string {
  return givenIn(headers) === id ? String(headers['x-request-id']).trim() : id;
}
