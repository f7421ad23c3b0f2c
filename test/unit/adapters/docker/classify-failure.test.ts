import { describe, expect, test } from 'vitest';
import {
  type CallFailure,
  type Verdict,
  classify,
  isEnginesOwn,
  readFailure,
} from '../../../../src/adapters/docker/classify-failure.js';
import { TimeoutError } from '../../../../src/domain/errors.js';

const answer = (status: number, message?: string): CallFailure => ({ kind: 'answer', status, message, text: '' });
const noAnswer = (code?: string): CallFailure => ({ kind: 'no_answer', code, text: '' });

type Row = readonly [situation: string, failure: CallFailure, look: Verdict, remove: Verdict];

const ROWS: readonly Row[] = [
  // The one text that is trusted.
  ['404 of Docker', answer(404, 'No such container: 0123abc'), 'gone', 'gone'],
  ['404 of Podman', answer(404, 'no container with name or ID "x" found: no such container'), 'gone', 'gone'],
  ['404 of an unknown API path or version', answer(404, 'page not found'), 'unavailable', 'unavailable'],
  ['404 of a web server, no JSON', answer(404), 'unavailable', 'unavailable'],
  ['404 with an empty message', answer(404, ''), 'unavailable', 'unavailable'],

  // Refusals: the text differs between engines and versions, the fresh look decides.
  ['409: running', answer(409, 'You cannot remove a running container'), 'unavailable', 'refused'],
  ['409: removal in progress', answer(409, 'removal of container x is already in progress'), 'unavailable', 'refused'],
  ['409 without a message', answer(409), 'unavailable', 'refused'],
  ['500: Podman, running', answer(500, 'container state improper'), 'unavailable', 'refused'],
  ['500: the files cannot be unlinked', answer(500, 'unable to remove filesystem'), 'unavailable', 'refused'],
  ['a text that lies about a 500', answer(500, 'No such container: x'), 'unavailable', 'refused'],

  // Not now, not this way: nothing was removed.
  ['503', answer(503, 'busy'), 'unavailable', 'unavailable'],
  ['429', answer(429, 'slow down'), 'unavailable', 'unavailable'],
  ['408', answer(408), 'unavailable', 'unavailable'],
  ['401', answer(401), 'unavailable', 'unavailable'],
  ['403 of an authorization plugin', answer(403, 'authorization denied by plugin'), 'unavailable', 'unavailable'],
  ['405 of a read-only gateway', answer(405), 'unavailable', 'unavailable'],
  ['300', answer(300), 'unavailable', 'unavailable'],
  ['301', answer(301), 'unavailable', 'unavailable'],
  ['501', answer(501), 'unavailable', 'unavailable'],

  // The request went on, its outcome did not come back.
  ['502 of a gateway', answer(502), 'unavailable', 'unknown_outcome'],
  ['504 of a gateway', answer(504), 'unavailable', 'unknown_outcome'],
  ['202 is no removal yet', answer(202), 'unavailable', 'unknown_outcome'],
  ['101, an answer before the answer', answer(101), 'unavailable', 'unknown_outcome'],
  ['our own deadline', { kind: 'deadline', text: '' }, 'unavailable', 'unknown_outcome'],
  ['connection reset', noAnswer('ECONNRESET'), 'unavailable', 'unknown_outcome'],
  ['broken pipe', noAnswer('EPIPE'), 'unavailable', 'unknown_outcome'],
  ['timed out by the system', noAnswer('ETIMEDOUT'), 'unavailable', 'unknown_outcome'],
  ['something that is not HTTP', noAnswer('HPE_INVALID_CONSTANT'), 'unavailable', 'unknown_outcome'],
  ['a certificate that is not trusted', noAnswer('SELF_SIGNED_CERT_IN_CHAIN'), 'unavailable', 'unknown_outcome'],
  ['an unknown error code', noAnswer('EWHATEVER'), 'unavailable', 'unknown_outcome'],
  ['an error without a code', noAnswer(), 'unavailable', 'unknown_outcome'],

  // No connection, so the request never left.
  ['no socket file', noAnswer('ENOENT'), 'unavailable', 'unavailable'],
  ['no listener', noAnswer('ECONNREFUSED'), 'unavailable', 'unavailable'],
  ['no right to the socket', noAnswer('EACCES'), 'unavailable', 'unavailable'],
  ['a firewall of this machine', noAnswer('EPERM'), 'unavailable', 'unavailable'],
  ['the queue of connections is full', noAnswer('EAGAIN'), 'unavailable', 'unavailable'],
  ['the host has no address', noAnswer('ENOTFOUND'), 'unavailable', 'unavailable'],
  ['the address of the host cannot be looked up now', noAnswer('EAI_AGAIN'), 'unavailable', 'unavailable'],
  ['no way to the host', noAnswer('EHOSTUNREACH'), 'unavailable', 'unavailable'],
  ['no way to its network', noAnswer('ENETUNREACH'), 'unavailable', 'unavailable'],
  ['no port left on our side', noAnswer('EADDRNOTAVAIL'), 'unavailable', 'unavailable'],
  ['no file descriptors left', noAnswer('EMFILE'), 'unavailable', 'unavailable'],
  ['none left in the whole system', noAnswer('ENFILE'), 'unavailable', 'unavailable'],

  // Nothing that time heals.
  ['400 of the engine', answer(400, 'invalid name or ID supplied'), 'bug', 'bug'],
  ['400 of a TLS port spoken to in plain HTTP', answer(400), 'unavailable', 'unavailable'],
  ['a request that Node refuses to make', { kind: 'misuse', text: '' }, 'bug', 'bug'],
];

describe('what a failed call means', () => {
  test.each(ROWS)('%s', (_situation, failure, look, remove) => {
    expect({ look: classify('look', failure), remove: classify('remove', failure) }).toEqual({ look, remove });
  });

  test.each(ROWS)('never takes "gone" from anything but a 404: %s', (_situation, failure) => {
    const isGone = classify('look', failure) === 'gone' || classify('remove', failure) === 'gone';
    expect(isGone && !(failure.kind === 'answer' && failure.status === 404)).toBe(false);
  });
});

describe('how a failure is read from what was thrown', () => {
  const thrown = (fields: object, message = 'broken'): Error => Object.assign(new Error(message), fields);

  test('an HTTP answer keeps its status and the message of its JSON body, and never the reason of the library', () => {
    const error = thrown({ statusCode: 404, reason: 'no such container', json: { message: 'page not found' } });
    expect(readFailure(error)).toEqual({
      kind: 'answer',
      status: 404,
      message: 'page not found',
      text: 'page not found (HTTP 404)',
    });
  });

  test.each([
    ['bytes, as the library leaves what is no JSON', Buffer.from('<html>no such container</html>')],
    ['nothing', Buffer.alloc(0)],
    ['JSON without a message', { error: 'no such container' }],
    ['JSON with a message that is no text', { message: { text: 'no such container' } }],
    ['JSON text', 'no such container'],
    ['JSON null', null],
  ])('an HTTP answer whose body is %s has no message', (_body, json) => {
    const failure = readFailure(thrown({ statusCode: 404, json }));
    expect(failure).toMatchObject({ kind: 'answer', status: 404, message: undefined });
  });

  test('the text of a whole web page is cut', () => {
    const { text } = readFailure(thrown({ statusCode: 502, json: Buffer.from('x') }, 'x'.repeat(100_000)));
    expect(text.length).toBeLessThan(1_000);
  });

  test('a message of the engine is whole for the verdict and cut for the text', () => {
    const message = `${'x'.repeat(100_000)} no such container`;
    expect(readFailure(thrown({ statusCode: 404, json: { message } }))).toEqual({
      kind: 'answer',
      status: 404,
      message,
      text: `${'x'.repeat(500)} (HTTP 404)`,
    });
  });

  test('the text of the library is freed from the space around it', () => {
    expect(readFailure(new Error(' (HTTP code 502) unexpected - \n')).text).toBe('(HTTP code 502) unexpected -');
  });

  test('the text of a misuse names what Node calls it', () => {
    const misuse = thrown({ code: 'ERR_UNESCAPED_CHARACTERS' }, 'Request path contains unescaped characters');
    expect(readFailure(misuse).text).toBe('ERR_UNESCAPED_CHARACTERS: Request path contains unescaped characters');
  });

  test('a broken connection keeps its code', () => {
    const error = thrown({ code: 'ENOENT' }, 'connect ENOENT /run/docker.sock');
    expect(readFailure(error)).toEqual({ kind: 'no_answer', code: 'ENOENT', text: 'connect ENOENT /run/docker.sock' });
  });

  test('an error without a code is a broken connection', () => {
    expect(readFailure(new Error('socket hang up'))).toMatchObject({ kind: 'no_answer', code: undefined });
  });

  test('our deadline is told apart from a broken connection', () => {
    expect(readFailure(new TimeoutError('no answer', 250))).toEqual({
      kind: 'deadline',
      text: 'no answer within 250 ms',
    });
  });

  test.each([
    ['a path that Node does not send', thrown({ code: 'ERR_UNESCAPED_CHARACTERS' })],
    ['an argument that Node does not take', thrown({ code: 'ERR_INVALID_ARG_TYPE' })],
    ['a header that Node does not send', thrown({ code: 'ERR_HTTP_INVALID_HEADER_VALUE' })],
    ['a type error without a code', new TypeError('x is not a function')],
    ['something that is no error', 'text'],
  ])('%s is misuse', (_what, error) => {
    expect(readFailure(error).kind).toBe('misuse');
  });
});

describe('an answer', () => {
  test.each<[string, number, string | undefined, boolean]>([
    ['with a message is the engine’s own', 500, 'driver failed', true],
    ['with a message is the engine’s own, also as a 503', 503, 'busy', true],
    ['without a message is the engine’s own for other codes', 404, undefined, true],
    ['of a gateway without a message is not (502)', 502, undefined, false],
    ['of a gateway without a message is not (503)', 503, undefined, false],
    ['of a gateway without a message is not (504)', 504, undefined, false],
  ])('%s', (_situation, status, message, expected) => {
    expect(isEnginesOwn({ status, message })).toBe(expected);
  });
});
