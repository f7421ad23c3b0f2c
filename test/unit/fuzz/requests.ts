/** Random requests: valid, nearly valid and invalid ones for each route of the API. */
import * as fc from 'fast-check';
import { FAILURE_CODES } from '../../../src/domain/error-codes.js';
import { addFailedFakeJob, type PlatformState } from '../../support/fakes/state.js';
import { aStoppedRecord } from '../../support/http-parts.js';
import { anyJson, hostileText } from './hostile.js';
import { gameId } from './ids.js';

export interface Asked {
  readonly method: string;
  /** Path and query as sent. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

const API = '/api/v1/internal';

/** `encodeURIComponent` for any text; lone surrogates become the replacement character. */
const escaped = (text: string): string => encodeURIComponent(text.toWellFormed());

const segment = fc.oneof(
  { weight: 4, arbitrary: gameId.map(escaped) },
  { weight: 2, arbitrary: hostileText.map(escaped) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'missing-game',
      '17',
      '',
      '..',
      '.',
      '%',
      '%zz',
      '%00',
      '%ff',
      '%2F..%2F',
      'a'.repeat(4_000),
    ),
  },
);
const path = fc.oneof(
  { weight: 3, arbitrary: segment.map((id) => `${API}/runtimes/${id}/container`) },
  { weight: 2, arbitrary: segment.map((id) => `${API}/runtimes/${id}`) },
  { weight: 2, arbitrary: segment.map((id) => `${API}/runtimes/${id}/operations`) },
  { weight: 2, arbitrary: segment.map((id) => `${API}/cleanups/${id}`) },
  { weight: 2, arbitrary: segment.map((id) => `${API}/dead-letters/${id}`) },
  { weight: 2, arbitrary: segment.map((id) => `${API}/dead-letters/${id}/replay`) },
  {
    weight: 8,
    arbitrary: fc.constantFrom(
      ...['runtimes', 'dead-letters', 'dead-letters/replay', 'retention/plan'].map((name) => `${API}/${name}`),
      '/healthz',
      '/readyz',
      '/metrics',
      '/openapi.json',
      '/admin',
      '/admin/queues',
      '/',
      API,
      '//',
      '/healthz/',
    ),
  },
  { weight: 1, arbitrary: fc.array(segment, { maxLength: 4 }).map((parts) => `/${parts.join('/')}`) },
);

const value = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('1', '50', '1000', '1001', '0', '-1', '1e2', '0x10', 'true', 'false', '') },
  { weight: 2, arbitrary: fc.constantFrom('running', 'stopped', 'removed', ...FAILURE_CODES) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('2026-01-01T00:00:00Z', '2026-02-30T00:00:00Z', '9999-12-31T23:59:60+23:59'),
  },
  { weight: 2, arbitrary: hostileText },
);
const name = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom('limit', 'after', 'before', 'status', 'code', 'game_id', 'failed_before', 'all'),
  },
  hostileText,
);
const query = fc
  .array(fc.tuple(name, value), { maxLength: 3 })
  .map((pairs) => pairs.map(([key, text]) => `${escaped(key)}=${escaped(text)}`).join('&'));
const search = fc.oneof(
  { weight: 3, arbitrary: fc.constant('') },
  { weight: 3, arbitrary: query.map((text) => `?${text}`) },
  fc.constantFrom(
    '?',
    '?&&&',
    '?limit',
    '?limit=1&limit=2',
    '?__proto__=1',
    '?constructor[prototype]=1',
    '?%ff=%zz',
    '#x',
  ),
);

/** Text that a header may contain, one byte for each character. */
const headerText = hostileText.map((text) =>
  Buffer.from(
    text
      .replaceAll(/\p{Cc}/gu, '')
      .toWellFormed()
      .slice(0, 600),
  )
    .toString('latin1')
    // The bytes may not be control characters either.
    .replaceAll(/[^ -~\u0080-\u00FF]/g, ''),
);
const header = fc.oneof(
  fc.tuple(fc.constantFrom('x-request-id', 'x-galaxy-caller', 'prefer', 'authorization', 'content-type'), headerText),
  fc.constantFrom<[string, string]>(
    ['prefer', 'wait=0'],
    ['prefer', 'wait=0, wait="x", respond-async'],
    ['prefer', '"'.repeat(300)],
    ['x-galaxy-caller', 'gm'],
    ['content-type', 'application/json; charset=utf-7'],
    ['content-type', 'text/plain'],
    ['host', 'elsewhere.example'],
    ['origin', 'https://elsewhere.example'],
    ['sec-fetch-site', 'cross-site'],
    ['if-none-match', '*'],
    ['accept-encoding', 'br;q=2'],
  ),
);
const headers = fc
  .array(header, { maxLength: 3 })
  .map((given) => Object.fromEntries([['content-type', 'application/json'], ...given]));

const written = (json: unknown): string => {
  try {
    return JSON.stringify(json) ?? '';
  } catch {
    return '[';
  }
};
const body = fc.oneof(
  { weight: 6, arbitrary: fc.constant(undefined) },
  { weight: 2, arbitrary: anyJson.map(written) },
  {
    weight: 2,
    arbitrary: fc.constantFrom('{"all":true}', '{"code":"conflict"}', '{"all":true,"code":"conflict"}', '{}'),
  },
  hostileText,
  fc.constantFrom('{"__proto__":{"all":true}}', '{"constructor":{"prototype":{}}}', '{', `"${'x'.repeat(70_000)}"`),
);
const method = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom('GET', 'DELETE', 'POST') },
  fc.constantFrom('HEAD', 'OPTIONS', 'PUT', 'PATCH', 'TRACE', 'SEARCH'),
);

export const asked: fc.Arbitrary<Asked> = fc
  .record({ method, path, search, headers, body })
  .map(({ path: to, search: rest, ...request }) => Object.assign(request, { url: `${to}${rest}` }));

/** Replaces what is stored by the record or the dead letter that the path names, so that the answer is more than "not found". */
export function storeWhatIsNamed(state: PlatformState, url: string): void {
  state.records.clear();
  state.jobs.clear();
  for (const gameId of ['a', 'b']) state.records.set(gameId, aStoppedRecord(gameId));
  const [, list, named = ''] = /\/(runtimes|cleanups|dead-letters)\/([^/?#]+)/.exec(url) ?? [];
  const id = unescaped(named);
  if (list === undefined || id === undefined || id === 'missing-game') return;
  if (list === 'runtimes') state.records.set(id, aStoppedRecord(id));
  else addFailedFakeJob(state, { jobId: id, data: { gameId: id }, reason: `conflict: ${id}` });
}

function unescaped(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
