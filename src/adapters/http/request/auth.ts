/** Who may send requests: callers with a token; without tokens, callers on this machine. Never a page of another site. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isForBrowsers } from '../app.js';
import type { HttpSettings } from '../http-ports.js';
import { refused } from '../response/problem.js';

export interface GuardedRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

const OPEN_PATHS = new Set(['/healthz', '/readyz']);
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);
/** `Sec-Fetch-Site` of requests from our own pages, and of those that the user typed in. */
const OWN_SITES = new Set<unknown>(['same-origin', 'none']);
const HOST = /^(?:\[(?<ipv6>[^[\]]+)\]|(?<name>[^:]*))(?::\d+)?$/;

/** A browser shows a login form for `Basic`; other clients send a bearer token. */
export const challengeFor = (path: string): string =>
  isForBrowsers(path) ? 'Basic realm="runtime-cleanup: any user, a token as password", charset="UTF-8"' : 'Bearer';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Makes the guard, which throws a `RequestRefusedError` unless the request may proceed. */
export function createGuard({ tokens, isLoopback }: Pick<HttpSettings, 'tokens' | 'isLoopback'>) {
  const digests = tokens.map(digest);
  const isKnown = (presented: string): boolean => {
    const given = digest(presented);
    // Compares with every token, so that the time taken does not show which part of which token was right.
    return digests.reduce((found, token) => timingSafeEqual(token, given) || found, false);
  };

  return (request: GuardedRequest): void => {
    refuseOtherSites(request);
    if (OPEN_PATHS.has(request.path)) return;
    if (tokens.length === 0) {
      refuseRebinding(request, isLoopback);
      return;
    }
    const presented = presentedToken(request);
    if (presented === undefined) throw refused('unauthorized', howToAuthenticate(request.path));
    if (!isKnown(presented)) throw refused('unauthorized', 'the token is not one of RTMANAGER_API_TOKENS');
  };
}

const howToAuthenticate = (path: string): string =>
  isForBrowsers(path)
    ? 'log in with any user name and one of RTMANAGER_API_TOKENS as password'
    : 'send one of RTMANAGER_API_TOKENS as "Authorization: Bearer TOKEN"';

function presentedToken({ path, headers: { authorization = '' } }: GuardedRequest): string | undefined {
  const { scheme = '', credentials = '' } =
    /^(?<scheme>\S+) +(?<credentials>\S+)$/.exec(authorization.trim())?.groups ?? {};
  if (scheme.toLowerCase() === 'bearer') return credentials;
  if (scheme.toLowerCase() !== 'basic' || !isForBrowsers(path)) return undefined;
  const decoded = Buffer.from(credentials, 'base64').toString();
  return decoded.slice(decoded.indexOf(':') + 1);
}

/** A browser that has logged in sends its password with any request, also with one that another site's page makes. */
function refuseOtherSites({ method, headers }: GuardedRequest): void {
  if (SAFE_METHODS.has(method)) return;
  const { origin, host = '', 'sec-fetch-site': site } = headers;
  // `Sec-Fetch-Site` first: no page can set it, while a proxy may have changed the host.
  const isOwn =
    site === undefined ? origin === undefined || hostOf(origin) === host.toLowerCase() : OWN_SITES.has(site);
  if (!isOwn) throw refused('unauthorized', 'a page of another site may not change anything here');
}

const hostOf = (origin: string): string => (URL.canParse(origin) ? new URL(origin).host : '');

/** Another site can make its own name resolve to this machine (DNS rebinding), so the name has to be a local one. */
function refuseRebinding({ headers: { host = '' } }: GuardedRequest, isLoopback: HttpSettings['isLoopback']): void {
  const { ipv6, name = '' } = HOST.exec(host.toLowerCase())?.groups ?? {};
  if (isLoopback({ host: ipv6 ?? name })) return;
  throw refused(
    'unauthorized',
    `without RTMANAGER_API_TOKENS only requests to localhost are answered, not to ${JSON.stringify(host.slice(0, 100))}`,
  );
}
