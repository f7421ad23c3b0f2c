/**
 * What a failed call to the engine means. The engine's texts differ between versions and products (a running container
 * is 409 in Docker, 500 in Podman), so a refusal is only named here and judged by a fresh look. The one text that is
 * trusted is the one that makes a 404 mean "gone".
 */
import { messageOf, TimeoutError } from '../../domain/errors.js';
import { fieldsOf } from './fields.js';

export type EngineCall = 'look' | 'remove';

/** How a call failed, independent of the shapes of the client library's errors. */
export type CallFailure =
  /** An HTTP answer; `message` is the JSON body's, undefined where the body is anything else. */
  | { readonly kind: 'answer'; readonly status: number; readonly message: string | undefined; readonly text: string }
  /** No whole HTTP answer; `code` is Node's, where it gave one. */
  | { readonly kind: 'no_answer'; readonly code: string | undefined; readonly text: string }
  | { readonly kind: 'deadline'; readonly text: string }
  /** The call was never put on the wire because this program made it wrongly. */
  | { readonly kind: 'misuse'; readonly text: string };

export type Verdict =
  /** The engine itself says that no container has this id. */
  | 'gone'
  /** The engine did not remove it; only a fresh look shows why. */
  | 'refused'
  /** The request may have been carried out, may still be, or may never be; only a fresh look shows which. */
  | 'unknown_outcome'
  /** The engine cannot be asked now. The request was not carried out, or changes nothing. */
  | 'unavailable'
  /** The same request would fail for ever: a bug, here or in the engine. */
  | 'bug';

// Failures to open a connection: the request has not left. What is not listed may have happened after it had.
const NEVER_SENT = new Set([
  'ENOENT', // no socket file: the engine is stopped
  'ECONNREFUSED', // a socket file or port without a listener: the engine was killed
  'EACCES', // no right to use the socket
  'EPERM',
  'EAGAIN', // the engine hangs and its queue of connections is full
  'ENOTFOUND', // host name
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'EMFILE', // no file descriptors left on our side
  'ENFILE',
]);

export function classify(call: EngineCall, failure: CallFailure): Verdict {
  switch (failure.kind) {
    case 'answer':
      return classifyAnswer(call, failure.status, failure.message);
    case 'deadline':
      return lostAnswer(call);
    case 'no_answer':
      return failure.code !== undefined && NEVER_SENT.has(failure.code) ? 'unavailable' : lostAnswer(call);
    case 'misuse':
      return 'bug';
  }
}

/** A look changes nothing, so it may simply be asked again. */
function lostAnswer(call: EngineCall): Verdict {
  return call === 'remove' ? 'unknown_outcome' : 'unavailable';
}

function classifyAnswer(call: EngineCall, status: number, message: string | undefined): Verdict {
  // An unknown path, a wrong API version and any web server answer 404 as well: the status alone proves nothing.
  if (status === 404) return message !== undefined && /no such container/i.test(message) ? 'gone' : 'unavailable';
  // With a JSON message it is the engine's own answer about our request. Without one it comes from a gateway in between,
  // or from a TLS port that received plain HTTP.
  if (status === 400) return message === undefined ? 'unavailable' : 'bug';
  if (call === 'look') return 'unavailable';
  if (status === 409 || status === 500) return 'refused';
  // "Accepted" is no removal yet, and a gateway that lost the engine's answer does not know either.
  if (status < 300 || status === 502 || status === 504) return 'unknown_outcome';
  // Redirects, 401, 403, 405, 408, 429, 503 and every other status: the engine removed nothing.
  return 'unavailable';
}

/**
 * Whether the engine itself wrote the answer: it lives, so one container in trouble is not an engine in trouble. A gateway
 * in between answers too, for an engine that does not: its answer has no JSON message, and one of these codes.
 */
export function isEnginesOwn({
  status,
  message,
}: {
  readonly status: number;
  readonly message: string | undefined;
}): boolean {
  return message !== undefined || ![502, 503, 504].includes(status);
}

// An answer that is not the engine's may be a whole web page.
const TEXT_MAX_CHARACTERS = 500;

/** Reads the value that a call was rejected with. */
export function readFailure(thrown: unknown): CallFailure {
  const text = messageOf(thrown).trim().slice(0, TEXT_MAX_CHARACTERS);
  if (thrown instanceof TimeoutError) return { kind: 'deadline', text };
  const { statusCode, json, code } = fieldsOf(thrown);
  if (typeof statusCode === 'number') {
    // Never `reason`: the client library labels every 404 "no such container" there.
    const { message } = fieldsOf(json);
    if (typeof message !== 'string') return { kind: 'answer', status: statusCode, message: undefined, text };
    return {
      kind: 'answer',
      status: statusCode,
      message,
      text: `${message.slice(0, TEXT_MAX_CHARACTERS)} (HTTP ${statusCode})`,
    };
  }
  if (typeof code === 'string') {
    return isMisuse(code) ? { kind: 'misuse', text: `${code}: ${text}` } : { kind: 'no_answer', code, text };
  }
  if (thrown instanceof TypeError || !(thrown instanceof Error)) return { kind: 'misuse', text };
  return { kind: 'no_answer', code: undefined, text };
}

function isMisuse(code: string): boolean {
  return code === 'ERR_UNESCAPED_CHARACTERS' || code.startsWith('ERR_INVALID_') || code.startsWith('ERR_HTTP_INVALID_');
}
