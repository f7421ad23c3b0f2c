/** What more than one experiment asks of an account. */
import type { RequestSeen } from '../../support/engine/engine-fault-proxy.js';
import type { Audited } from './audit.js';
import type { Broken } from './checks.js';

/** Every finding is one break of the same promise. */
export const brokenBy = (check: string, findings: readonly string[]): readonly Broken[] =>
  findings.map((what) => ({ check, what }));

type Note = Pick<Audited, 'kind' | 'was' | 'became'>;

export const isTransition = ({ kind, was, became }: Note): boolean =>
  kind === 'record' && was === 'stopped' && became === 'removed';

export const isSuccessRow = ({ kind, was, became }: Note): boolean =>
  kind === 'operation' && was === 'success' && became === '';

/** What is there for the second time, and every time after that. */
export const repeated = (values: readonly string[]): readonly string[] =>
  values.filter((value, index) => values.indexOf(value) !== index);

const FULL_ID_ONLY = /^(?:\/v[\d.]+)?\/containers\/(?<id>[0-9a-f]{64})(?:\/json)?(?:\?|$)/;

type Request = Pick<RequestSeen, 'method' | 'url'>;

const shown = ({ method, url }: Request): string => `${method} ${url}`;

/** The full id that a request names; undefined where it names a container in any other way. */
export const fullIdIn = ({ url }: Pick<Request, 'url'>): string | undefined => FULL_ID_ONLY.exec(url)?.groups?.['id'];

/** What the workers asked of the engine that no worker may: by a name or a short id, or by force. */
/** A list of containers with a label names none of them; nothing is removed by it. */
const isList = ({ method, url }: Request): boolean => method === 'GET' && /\/containers\/json\?/.test(url);

export const checkRequests = (requests: readonly Request[]): readonly Broken[] => [
  ...brokenBy(
    'containers are named by full id',
    requests
      .filter((one) => one.url.includes('/containers/') && !isList(one) && fullIdIn(one) === undefined)
      .map(shown),
  ),
  ...brokenBy(
    'no removal is forced',
    requests.filter(({ method, url }) => method === 'DELETE' && /[?&]force=(?!false|0)/.test(url)).map(shown),
  ),
];
