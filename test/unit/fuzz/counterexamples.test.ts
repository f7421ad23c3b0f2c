/** Inputs that the properties of this folder have found, one test for each. */
import { describe, expect, it } from 'vitest';
import { deduplicationId } from '../../../src/adapters/bullmq/producer/deduplication.js';
import { parseEndpoint } from '../../../src/adapters/docker/endpoint.js';
import { shownTime } from '../../../src/cli/terminal/command-output.js';
import { shownUrl } from '../../../src/config/shown-url.js';
import { EMPTY_HISTORY } from '../../../src/jobs/delivery.js';
import { readHistory, withFailure } from '../../../src/jobs/attempt-history.js';
import { httpWorld } from '../adapters/http/http-world.js';
import { linesOf } from '../config/reading.js';

describe('a job', () => {
  it('a job with too many failures to be counted keeps its history', () => {
    const progress = { ...EMPTY_HISTORY, counts: { conflict: Number.MAX_SAFE_INTEGER } };
    const failed = {
      attempt: 1,
      code: 'conflict',
      message: 'busy',
      at: '2026-03-01T00:00:00.000Z',
      traceId: '',
    } as const;
    const kept = withFailure(readHistory(progress), failed);
    expect(readHistory(kept)).toEqual(kept);
  });

  it('the deduplication id of an invalid game id differs from a game id of the same text', () => {
    const invalid = 'tab\there';
    const keyAsName = deduplicationId(invalid).replace('\u0001', '');
    expect(deduplicationId(keyAsName)).toBe(keyAsName);
    expect(deduplicationId(invalid)).not.toBe(keyAsName);
  });
});

describe('an address with a password', () => {
  it.each([
    ['postgresql://app:pa/ss@db:5432/games', 'postgresql://app:***@db:5432/games'],
    ['redis://app:12#ss@cache', 'redis://app:***@cache'],
    ['redis://app:6?ss@cache', 'redis://app:***'],
    ['postgresql://db/games?password=a#ss', 'postgresql://db/games?password=***'],
    ['postgresql://db:1/games?user=u&password=@ss', 'postgresql://db:***'],
  ])('the password in %s is not shown, although it is not escaped', (url, shown) => {
    expect(shownUrl(url)).toBe(shown);
  });

  it.each(['tcp://app:12/ss@engine', 'tcp://app:s/s@engine:2375', 'ssh://app:ss@engine'])(
    'the password in %s is not shown when the address is refused',
    (host) => {
      expect(() => parseEndpoint(host)).toThrow(/^DOCKER_HOST=\(not shown\): /);
    },
  );

  it.each([
    ['REDIS_URL', 'redis://app:p%ff@cache'],
    ['REDIS_URL', 'redis://app:p%zz@cache'],
    ['REDIS_URL', 'redis://cache/games'],
    ['DATABASE_URL', 'postgresql://db\n/games'],
    ['DATABASE_URL', 'postgresql://app:p%ff@db/games'],
    ['DOCKER_HOST', 'tcp://engine\t:2375'],
  ])('%s=%j is refused before a connection is made', (name, url) => {
    expect(linesOf({ [name]: url })).toMatchObject([expect.stringMatching(`^${name}: .* is not allowed`)]);
  });
});

it('a setting whose name contains a line feed is reported in one line', () => {
  expect(linesOf({ 'RTMANAGER_A\nB': '1' })).toMatchObject([expect.stringMatching(/^RTMANAGER_A\\u000aB: no setting/)]);
});

it('a time that PostgreSQL knows and JavaScript does not is empty on the command line', () => {
  expect(shownTime(new Date(Number.NaN))).toBe('');
});

it.each(['/metrics', '/openapi.json'])('the document of %s contains the refusal of a request id', async (path) => {
  const { app } = await httpWorld();
  const refused = await app.inject({ url: path, headers: { 'x-request-id': 'x'.repeat(257) } });
  const { paths } = (await app.inject('/openapi.json')).json<{
    paths: Record<string, { get: { responses: object } }>;
  }>();
  expect(Object.keys(paths[path]?.get.responses ?? {})).toContain(String(refused.statusCode));
});
