import { describe, expect, it } from 'vitest';
import { requestIdHeader, requestIdOf, requestIdProblem } from '../../../../../src/adapters/http/request/request-id.js';

/** As Node hands on what was sent as UTF-8. */
const sent = (text: string) => ({ 'x-request-id': Buffer.from(text).toString('latin1') });

describe('a request id', () => {
  it.each([
    ['plain text', { 'x-request-id': 'ticket-7' }, 'ticket-7', 'ticket-7'],
    ['spaces around it', { 'x-request-id': '  ticket-7 ' }, 'ticket-7', 'ticket-7'],
    ['UTF-8', sent('Zürich 🎲'), 'Zürich 🎲', Buffer.from('Zürich 🎲').toString('latin1')],
    ['Latin-1', { 'x-request-id': 'Z\u00FCrich' }, 'Z\u00FCrich', 'Z\u00FCrich'],
    ['256 characters', { 'x-request-id': 'x'.repeat(256) }, 'x'.repeat(256), 'x'.repeat(256)],
    ['256 emoji', sent('🎲'.repeat(256)), '🎲'.repeat(256), sent('🎲'.repeat(256))['x-request-id']],
  ])('of %s is taken, and goes back byte for byte', (_what, headers, id, echoed) => {
    expect(requestIdProblem(headers)).toBeUndefined();
    expect(requestIdOf(headers)).toBe(id);
    expect(requestIdHeader(id, headers)).toBe(echoed);
  });

  it.each([
    ['missing', {}],
    ['empty', { 'x-request-id': '' }],
    ['blank', { 'x-request-id': '   ' }],
  ])('that is %s is made', (_what, headers) => {
    const id = requestIdOf(headers);
    expect(requestIdProblem(headers)).toBeUndefined();
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect(requestIdHeader(id, headers)).toBe(id);
    expect(requestIdOf(headers)).not.toBe(id);
  });

  it('that is too long is refused by name, and another one stands for it', () => {
    const headers = { 'x-request-id': 'x'.repeat(257) };
    expect(requestIdProblem(headers)).toMatch(/^X-Request-Id: .*257 characters; at most 256/);
    const id = requestIdOf(headers);
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect(requestIdHeader(id, headers)).toBe(id);
  });
});
