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
  // Only this text means that the container does not exist.
  ['404 of Docker', answer(404, 'No such container: 0123abc'), 'gone', 'gone'],
  ['404 of Podman', answer(404, 'no container with name or ID "x" found: no such container'), 'gone', 'gone'],
  ['404 of an unknown API path or version', answer(404, 'page not found'), 'unavailable', 'unavailable'],
  ['404 of a web server, no JSON', answer(404), 'unavailable', 'unavailable'],
  ['404 with an empty message', answer(404, ''), 'unavailable', 'unavailable'],

  // Refusals: their texts differ between engines and versions, so a new look decides.
  ['409: running', answer(409, 'You cannot remove a running container'), 'unavailable', 'refused'],
  ['409: removal in progress', answer(409, 'removal of container x is already in progress'), 'unavailable', 'refused'],
  ['409 without a message', answer(409), 'unavailable', 'refused'],
  ['500: Podman, running', answer(500, 'container state improper'), 'unavailable', 'refused'],
  ['500: the files cannot be unlinked', answer(500, 'unable to remove filesystem'), 'unavailable', 'refused'],
  ['500 with the text of a 404', answer(500, 'No such container: x'), 'unavailable', 'refused'],

  // The engine did not process the request, so nothing was removed.
  ['503', answer(503, 'busy'), 'unavailable', 'unavailable'],
  ['429', answer(429, 'slow down'), 'unavailable', 'unavailable'],
  ['408', answer(408), 'unavailable', 'unavailable'],
  ['401', answer(401), 'unavailable', 'unavailable'],
  ['403 of an authorization plugin', answer(403, 'authorization denied by plugin'), 'unavailable', 'unavailable'],
  ['405 of a read-only gateway', answer(405), 'unavailable', 'unavailable'],
  ['300', answer(300), 'unavailable', 'unavailable'],
  ['301', answer(301), 'unavailable', 'unavailable'],
  ['501', answer(501), 'unavailable', 'unavailable'],

  // The request was sent, but its outcome is unknown.
  ['502 of a gateway', answer(502), 'unavailable', 'unknown_outcome'],
  ['504 of a gateway', answer(504), 'unavailable', 'unknown_outcome'],
  ['202, which is not a removal yet', answer(202), 'unavailable', 'unknown_outcome'],
  ['101, an answer before the answer', answer(101), 'unavailable', 'unknown_outcome'],
  ['a timeout of our own', { kind: 'deadline', text: '' }, 'unavailable', 'unknown_outcome'],
  ['connection reset', noAnswer('ECONNRESET'), 'unavailable', 'unknown_outcome'],
  ['broken pipe', noAnswer('EPIPE'), 'unavailable', 'unknown_outcome'],
  ['timed out by the system', noAnswer('ETIMEDOUT'), 'unavailable', 'unknown_outcome'],
  ['something that is not HTTP', noAnswer('HPE_INVALID_CONSTANT'), 'unavailable', 'unknown_outcome'],
  ['a certificate that is not trusted', noAnswer('SELF_SIGNED_CERT_IN_CHAIN'), 'unavailable', 'unknown_outcome'],
  ['an unknown error code', noAnswer('EWHATEVER'), 'unavailable', 'unknown_outcome'],
  ['an error without a code', noAnswer(), 'unavailable', 'unknown_outcome'],

  // There was no connection, so the request was not sent.
  ['no socket file', noAnswer('ENOENT'), 'unavailable', 'unavailable'],
  ['no listener', noAnswer('ECONNREFUSED'), 'unavailable', 'unavailable'],
  ['no right to the socket', noAnswer('EACCES'), 'unavailable', 'unavailable'],
  ['a firewall of this machine', noAnswer('EPERM'), 'unavailable', 'unavailable'],
  ['the queue of connections is full', noAnswer('EAGAIN'), 'unavailable', 'unavailable'],
  ['the host has no address', noAnswer('ENOTFOUND'), 'unavailable', 'unavailable'],
  ['the address of the host cannot be looked up now', noAnswer('EAI_AGAIN'), 'unavailable', 'unavailable'],
  ['no route to the host', noAnswer('EHOSTUNREACH'), 'unavailable', 'unavailable'],
  ['no route to its network', noAnswer('ENETUNREACH'), 'unavailable', 'unavailable'],
  ['no port left on our side', noAnswer('EADDRNOTAVAIL'), 'unavailable', 'unavailable'],
  ['no file descriptors left', noAnswer('EMFILE'), 'unavailable', 'unavailable'],
  ['no file descriptors left in the whole system', noAnswer('ENFILE'), 'unavailable', 'unavailable'],

  // Errors that do not pass by waiting.
  ['400 of the engine', answer(400, 'invalid name or ID supplied'), 'bug', 'bug'],
  ['400 of a TLS port for plain HTTP', answer(400), 'unavailable', 'unavailable'],
  ['a request that Node refuses to make', { kind: 'misuse', text: '' }, 'bug', 'bug'],
];

describe('classify', () => {
  test.each(ROWS)('a failed call is classified by its situation: %s', (_situation, failure, look, remove) => {
    expect({ look: classify('look', failure), remove: classify('remove', failure) }).toEqual({ look, remove });
  });

  test('a failed call means "gone" only for a 404', () => {
    const gone = ROWS.filter(([, , look, remove]) => look === 'gone' || remove === 'gone');
    for (const [, failure] of gone) expect(failure).toMatchObject({ kind: 'answer', status: 404 });
  });
});

describe('readFailure', () => {
  const thrown = (fields: object, message = 'broken'): Error => Object.assign(new Error(message), fields);

  test('an HTTP answer keeps its status and the message of its JSON body, but not the library’s reason', () => {
    const error = thrown({ statusCode: 404, reason: 'no such container', json: { message: 'page not found' } });
    expect(readFailure(error)).toEqual({
      kind: 'answer',
      status: 404,
      message: 'page not found',
      text: 'page not found (HTTP 404)',
    });
  });

  test.each([
    ['not JSON, which the library leaves as bytes,', Buffer.from('<html>no such container</html>')],
    ['empty', Buffer.alloc(0)],
    ['JSON without a message', { error: 'no such container' }],
    ['JSON with a message that is not text', { message: { text: 'no such container' } }],
    ['JSON text', 'no such container'],
    ['JSON null', null],
  ])('an HTTP answer whose body is %s has no message', (_body, json) => {
    const failure = readFailure(thrown({ statusCode: 404, json }));
    expect(failure).toMatchObject({ kind: 'answer', status: 404, message: undefined });
  });

  test('the text of a web page is shortened', () => {
    const { text } = readFailure(thrown({ statusCode: 502, json: Buffer.from('x') }, 'x'.repeat(100_000)));
    expect(text.length).toBeLessThan(1_000);
  });

  test('an engine message is complete for the verdict and shortened for the text', () => {
    const message = `${'x'.repeat(100_000)} no such container`;
    expect(readFailure(thrown({ statusCode: 404, json: { message } }))).toEqual({
      kind: 'answer',
      status: 404,
      message,
      text: `${'x'.repeat(500)} (HTTP 404)`,
    });
  });

  test('spaces around the text of the library are removed', () => {
    expect(readFailure(new Error(' (HTTP code 502) unexpected - \n')).text).toBe('(HTTP code 502) unexpected -');
  });

  test('the text of a misuse contains the error code of Node', () => {
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

  test('our own deadline is distinguished from a broken connection', () => {
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
    ['a thrown text', 'text'],
  ])('%s is a misuse', (_what, error) => {
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
