import { describe, expect, it } from 'vitest';
import { curlLine, shortened } from '../../../../demo/platform/http-client.js';

const ORIGIN = 'http://127.0.0.1:8096';

describe('a curl line', () => {
  it.each([
    [
      'sends the token to a path of the API',
      { method: 'GET', path: 'retention/plan' },
      'curl -H "Authorization: Bearer $TOKEN" "$API/retention/plan"',
    ],
    [
      'sends no token to an absolute path when the token is null',
      { method: 'GET', path: '/readyz', token: null },
      `curl "${ORIGIN}/readyz"`,
    ],
    [
      'contains headers and body',
      { method: 'POST', path: 'dead-letters/replay', headers: { Prefer: 'wait=10' }, body: { all: true }, token: 'x' },
      `curl -X POST -H "Authorization: Bearer x" -H 'Prefer: wait=10' -H 'Content-Type: application/json' -d '{"all":true}' "$API/dead-letters/replay"`,
    ],
  ] as const)('a curl line %s', (_what, request, line) => {
    expect(curlLine(request, ORIGIN)).toBe(line);
  });
});

describe('an answer on the terminal', () => {
  it('a long answer is cut to two lines that end with an ellipsis', () => {
    const [first = '', second = '', ...more] = shortened('x'.repeat(1_000));
    expect([first.length, second.length, more]).toEqual([110, 110, []]);
    expect(second.endsWith('x…')).toBe(true);
  });

  it.each(['', 'short', 'y'.repeat(110), 'y'.repeat(220)])('an answer that fits is shown whole: %#', (text) => {
    expect(shortened(text).join('')).toBe(text);
  });
});
