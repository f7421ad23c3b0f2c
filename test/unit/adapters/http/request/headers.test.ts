import { describe, expect, it } from 'vitest';
import {
  actorOf,
  preferredWaitS,
  requestIdHeader,
  requestIdOf,
  requestIdProblem,
} from '../../../../../src/adapters/http/request/headers.js';

const WAITS: readonly [what: string, header: string | readonly string[] | undefined, seconds: number | undefined][] = [
  ['no header', undefined, undefined],
  ['an empty header', '', undefined],
  ['seconds', 'wait=10', 10],
  ['zero seconds', 'wait=0', 0],
  ['a quoted value', 'wait="10"', 10],
  ['spaces in every place', ' wait = 10 ', 10],
  ['capital letters', 'WAIT=10', 10],
  ['one preference among others', 'respond-async, wait=10, return=minimal', 10],
  ['a preference with parameters', 'wait=10; foo="a;b"', 10],
  ['the word inside of quotes', 'foo="bar, wait=5"', undefined],
  ['the word inside and outside of quotes', 'foo="bar, wait=5", wait=10', 10],
  ['an escaped quote inside of quotes', String.raw`foo="a\", wait=5, ", wait=10`, 10],
  ['the preference twice', 'wait=10, wait=20', 10],
  ['two headers', ['respond-async', 'wait=10'], 10],
  ['more than 60 seconds', 'wait=3600', 60],
  ['a number of too many digits', 'wait=99999999999999999999', undefined],
  ['no value', 'wait', undefined],
  ['a word as value', 'wait=long', undefined],
  ['a negative number', 'wait=-1', undefined],
  ['a fraction', 'wait=1.5', undefined],
  ['another preference with the same ending', 'await=10', undefined],
  ['a quote without its end', 'foo="bar, wait=10', undefined],
];

describe('the Prefer header', () => {
  it.each(WAITS)('the Prefer header means the right wait: %s', (_what, header, seconds) => {
    expect(preferredWaitS(header)).toBe(seconds);
  });

  it('a hostile Prefer header is read in linear time', () => {
    const started = process.cpuUsage();
    expect(preferredWaitS(`${'wait'.repeat(2_000)}${' '.repeat(5_000)}"${'a,'.repeat(3_000)}`)).toBeUndefined();
    // Processor time, because other processes may make the test wait.
    expect(process.cpuUsage(started).user).toBeLessThan(200_000);
  });
});

/** UTF-8 text as Node decodes it. */
const sent = (text: string) => ({ 'x-request-id': Buffer.from(text).toString('latin1') });

describe('the X-Request-Id header', () => {
  it.each([
    ['plain text', { 'x-request-id': 'ticket-7' }, 'ticket-7', 'ticket-7'],
    ['spaces around it', { 'x-request-id': '  ticket-7 ' }, 'ticket-7', 'ticket-7'],
    ['UTF-8', sent('Zürich 🎲'), 'Zürich 🎲', Buffer.from('Zürich 🎲').toString('latin1')],
    ['Latin-1', { 'x-request-id': 'Z\u00FCrich' }, 'Z\u00FCrich', 'Z\u00FCrich'],
    ['256 characters', { 'x-request-id': 'x'.repeat(256) }, 'x'.repeat(256), 'x'.repeat(256)],
    ['256 emoji', sent('🎲'.repeat(256)), '🎲'.repeat(256), sent('🎲'.repeat(256))['x-request-id']],
  ])('a request id with %s is used and sent back byte for byte', (_what, headers, id, echoed) => {
    expect(requestIdProblem(headers)).toBeUndefined();
    expect(requestIdOf(headers)).toBe(id);
    expect(requestIdHeader(id, headers)).toBe(echoed);
  });

  it.each([
    ['missing', {}],
    ['empty', { 'x-request-id': '' }],
    ['blank', { 'x-request-id': '   ' }],
  ])('a request id that is %s is replaced by a new one', (_what, headers) => {
    const id = requestIdOf(headers);
    expect(requestIdProblem(headers)).toBeUndefined();
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect(requestIdHeader(id, headers)).toBe(id);
    expect(requestIdOf(headers)).not.toBe(id);
  });

  it('a request id that is too long is refused by name, and the answer has a new one', () => {
    const headers = { 'x-request-id': 'x'.repeat(257) };
    expect(requestIdProblem(headers)).toMatch(/^X-Request-Id: .*257 characters; at most 256/);
    const id = requestIdOf(headers);
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect(requestIdHeader(id, headers)).toBe(id);
  });
});

describe('the X-Galaxy-Caller header of an action', () => {
  it.each([
    ['admin without the header', {}, 'admin'],
    ['admin for an empty header', { 'x-galaxy-caller': ' ' }, 'admin'],
    ['the name in it', { 'x-galaxy-caller': ' kim ' }, 'kim'],
    ['a name in UTF-8', { 'x-galaxy-caller': Buffer.from('Zoë').toString('latin1') }, 'Zoë'],
    ['at most 100 characters', { 'x-galaxy-caller': 'x'.repeat(300) }, 'x'.repeat(100)],
  ])('gives %s as the actor', (_what, headers, actor) => {
    expect(actorOf(headers)).toBe(actor);
  });
});
