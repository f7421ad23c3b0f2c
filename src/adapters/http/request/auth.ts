/** Who may ask. Tokens are secrets, so they are compared without telling by the time taken how much of one was right. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { refused } from '../response/problem.js';

export interface AskedWith {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

const OPEN_PATHS = new Set(['/healthz', '/readyz']);
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);
/** What a browser says of requests from our own pages, and of what its user typed in. */
const OWN_SITES = new Set<unknown>(['same-origin', 'none']);
const LOOPBACK_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i;

/** A browser shows a form for the one; programs are told of the other. */
export const challengeFor = (path: string): string =>
  isForBrowsers(path) ? 'Basic realm="runtime-cleanup: any user, a token as password", charset="UTF-8"' : 'Bearer';

const isForBrowsers = (path: string): boolean => path === '/admin' || path.startsWith('/admin/');

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Makes the guard that throws a `RequestRefusedError` unless the request may go on. */
export function createGuard(tokens: readonly string[]): (asked: AskedWith) => void {
  const digests = tokens.map(digest);
  const isKnown = (presented: string): boolean => {
    const given = digest(presented);
    // All of them, whichever is right.
    return digests.reduce((found, token) => timingSafeEqual(token, given) || found, false);
  };

  return (asked) => {
    refuseForeignPages(asked);
    if (OPEN_PATHS.has(asked.path)) return;
    if (tokens.length === 0) {
      refuseRebinding(asked);
      return;
    }
    const presented = presentedToken(asked);
    if (presented === undefined) throw refused('unauthorized', howToAuthenticate(asked.path));
    if (!isKnown(presented)) throw refused('unauthorized', 'the token is not one of RTMANAGER_API_TOKENS');
  };
}

const howToAuthenticate = (path: string): string =>
  isForBrowsers(path)
    ? 'log in with any user name and one of RTMANAGER_API_TOKENS as password'
    : 'send one of RTMANAGER_API_TOKENS as "Authorization: Bearer TOKEN"';

function presentedToken({ path, headers: { authorization = '' } }: AskedWith): string | undefined {
  const { scheme = '', credentials = '' } =
    /^(?<scheme>\S+) +(?<credentials>\S+)$/.exec(authorization.trim())?.groups ?? {};
  if (scheme.toLowerCase() === 'bearer') return credentials;
  if (scheme.toLowerCase() !== 'basic' || !isForBrowsers(path)) return undefined;
  const decoded = Buffer.from(credentials, 'base64').toString();
  return decoded.slice(decoded.indexOf(':') + 1);
}

/** A browser that has logged in sends its password along with whatever another site's page makes it ask. */
function refuseForeignPages({ method, headers }: AskedWith): void {
  if (SAFE_METHODS.has(method)) return;
  const { origin, host = '', 'sec-fetch-site': site } = headers;
  // Who cannot be asked by a page, because no page can set it, is believed first: a proxy may have changed the host.
  const isOwn =
    site === undefined ? origin === undefined || hostOf(origin) === host.toLowerCase() : OWN_SITES.has(site);
  if (!isOwn) {
    throw refused('unauthorized', 'a page of another site may not change anything here');
  }
}

const hostOf = (origin: string): string => (URL.canParse(origin) ? new URL(origin).host : '');

/** Without tokens only this machine may ask, and a name that was made to point here is no proof of being asked from it. */
function refuseRebinding({ headers: { host = '' } }: AskedWith): void {
  if (LOOPBACK_HOST.test(host)) return;
  throw refused(
    'unauthorized',
    `without RTMANAGER_API_TOKENS only requests to localhost are answered, not to ${JSON.stringify(host.slice(0, 100))}`,
  );
}
