import { describe, expect, it } from 'vitest';
import { curlLine, shortened } from '../../../../demo/platform/http-client.js';

const ORIGIN = 'http://127.0.0.1:8096';

describe('a curl line', () => {
  it.each([
    [
      'asks with the token, below the API',
      { method: 'GET', path: 'retention/plan' },
      'curl -H "Authorization: Bearer $TOKEN" "$API/retention/plan"',
    ],
    ['can do without', { method: 'GET', path: '/readyz', token: null }, `curl "${ORIGIN}/readyz"`],
    [
      'shows headers and body',
      { method: 'POST', path: 'dead-letters/replay', headers: { Prefer: 'wait=10' }, body: { all: true }, token: 'x' },
      `curl -X POST -H "Authorization: Bearer x" -H 'Prefer: wait=10' -H 'Content-Type: application/json' -d '{"all":true}' "$API/dead-letters/replay"`,
    ],
  ] as const)('%s', (_what, request, line) => {
    expect(curlLine(request, ORIGIN)).toBe(line);
  });
});

describe('a long answer', () => {
  it('is cut to two lines, and says so', () => {
    const [first = '', second = '', ...more] = shortened('x'.repeat(1_000));
    expect([first.length, second.length, more]).toEqual([110, 110, []]);
    expect(second.endsWith('x…')).toBe(true);
  });

  it.each(['', 'short', 'y'.repeat(110), 'y'.repeat(220)])('is shown whole where it fits', (text) => {
    expect(shortened(text).join('')).toBe(text);
  });
});
