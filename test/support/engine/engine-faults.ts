/** What can be done to one request on its way to the engine, or to the engine's answer on its way back. */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  breakChunks,
  closeBehind,
  sendInterim,
  type Ending,
  NO_HTTP,
  pour,
  type StreamPart,
} from './engine-raw-answers.js';

/** What happens to one request. Without a fault it passes untouched. */
export type EngineFault =
  /** Forwarded after `ms`. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** Never forwarded; this status with `{"message"}` is the answer. */
  | { readonly kind: 'status'; readonly status: number; readonly message: string }
  /** Never forwarded; the connection closes. */
  | { readonly kind: 'reset' }
  /** Never forwarded; a gateway names another place. */
  | { readonly kind: 'redirect'; readonly location: string }
  /** Never forwarded; these bytes are all that is answered. */
  | { readonly kind: 'replay'; readonly bytes: Buffer; readonly end: Ending }
  /** Never forwarded, never answered. */
  | { readonly kind: 'hang' }
  /** The engine does it; the connection closes without an answer. */
  | { readonly kind: 'lost-answer' }
  /** The engine does it; the answer never comes. */
  | { readonly kind: 'hang-after' }
  /** The engine does it; of its answer, status line and headers included, only the first bytes arrive. */
  | { readonly kind: 'cut'; readonly afterBytes: number; readonly end: Ending }
  /** The engine does it; headers and half of the body arrive, then the connection closes. */
  | { readonly kind: 'truncated-body' }
  /** The engine does it; the body arrives in pieces of `bytes` every `ms`. */
  | { readonly kind: 'slow-body'; readonly ms: number; readonly bytes: number }
  /** The engine does it; what comes back is no HTTP. */
  | { readonly kind: 'garbage' }
  /** The engine does it; a part of its answer begins and never ends. */
  | { readonly kind: 'endless'; readonly part: StreamPart; readonly bytesPerSecond: number }
  /** The engine does it; so many blanks, which JSON allows, come before the body. */
  | { readonly kind: 'padded-body'; readonly bytes: number }
  /** The engine does it; the answer comes in chunks and breaks off within one, or a chunk's length is no number. */
  | { readonly kind: 'broken-chunks'; readonly how: 'cut' | 'malformed' }
  /** The engine does it; `Content-Length` says so much more, or less, than comes. The connection stays open. */
  | { readonly kind: 'wrong-length'; readonly by: number }
  /** The engine does it; before its answer comes an interim one, then the answer unless `only`. */
  | { readonly kind: 'interim'; readonly status: 100 | 101 | 102 | 103; readonly only: boolean };

export interface EngineAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
  /** As it came over the wire. */
  readonly raw: Buffer;
}

/** A 204 has no body that could be broken, so it becomes a 200 that has one. */
const withBody = ({ status, headers, body }: EngineAnswer): Omit<EngineAnswer, 'raw'> => ({
  status: body.length > 0 ? status : 200,
  headers: { 'content-type': headers['content-type'] ?? 'application/json' },
  body: body.length > 0 ? body : Buffer.from('{"message":"cut off"}'),
});

const sendHalf = (response: ServerResponse, answer: EngineAnswer): void => {
  const { status, headers, body } = withBody(answer);
  response.writeHead(status, { ...headers, 'content-length': body.length });
  response.write(body.subarray(0, Math.floor(body.length / 2)), () => {
    setImmediate(() => response.destroy());
  });
};

const sendSlowly = async (response: ServerResponse, answer: EngineAnswer, ms: number, bytes: number) => {
  response.writeHead(answer.status, answer.headers);
  for (let at = 0; at < answer.body.length && !response.destroyed; at += bytes) {
    response.write(answer.body.subarray(at, at + bytes));
    await sleep(ms);
  }
  response.end();
};

const BLANKS = Buffer.alloc(65_536, ' ');

const sendPadded = async (response: ServerResponse, answer: EngineAnswer, bytes: number): Promise<void> => {
  const { status, headers, body } = withBody(answer);
  response.writeHead(status, { ...headers, 'content-length': bytes + body.length });
  const closed = once(response, 'close');
  for (let left = bytes; left > 0 && !response.destroyed; left -= BLANKS.length) {
    const isTaken = response.write(BLANKS.subarray(0, Math.min(left, BLANKS.length)));
    if (!isTaken) await Promise.race([once(response, 'drain'), closed]);
  }
  response.end(body);
};

const sendWithLength = (response: ServerResponse, answer: EngineAnswer, by: number): void => {
  const { status, headers, body } = withBody(answer);
  response.writeHead(status, { ...headers, 'content-length': Math.max(0, body.length + by) });
  response.end(body);
};

const sendWhole = (response: ServerResponse, { status, headers, body }: EngineAnswer): void => {
  response.writeHead(status, headers);
  response.end(body);
};

/** Sends `answer`, or what the fault leaves of it. */
export const answerWithFault = async (
  fault: EngineFault,
  answer: EngineAnswer,
  response: ServerResponse,
  socket: Socket,
): Promise<void> => {
  switch (fault.kind) {
    case 'lost-answer':
      response.destroy();
      return;
    case 'hang-after':
      return;
    case 'cut':
      closeBehind(socket, answer.raw.subarray(0, fault.afterBytes), fault.end);
      return;
    case 'truncated-body':
      sendHalf(response, answer);
      return;
    case 'slow-body':
      await sendSlowly(response, answer, fault.ms, fault.bytes);
      return;
    case 'garbage':
      closeBehind(socket, NO_HTTP, 'fin');
      return;
    case 'endless':
      await pour(socket, fault.part, fault.bytesPerSecond);
      return;
    case 'padded-body':
      await sendPadded(response, answer, fault.bytes);
      return;
    case 'broken-chunks':
      breakChunks(socket, withBody(answer), fault.how);
      return;
    case 'wrong-length':
      sendWithLength(response, answer, fault.by);
      return;
    case 'interim':
      sendInterim(socket, fault.status);
      if (!fault.only) sendWhole(response, answer);
      return;
    case 'delay':
    case 'status':
    case 'reset':
    case 'redirect':
    case 'replay':
    case 'hang':
      sendWhole(response, answer);
  }
};

/** True when the request was dealt with and must not reach the engine. */
export const stoppedBefore = async (
  fault: EngineFault | undefined,
  response: ServerResponse,
  socket: Socket,
): Promise<boolean> => {
  switch (fault?.kind) {
    case 'hang':
      return true;
    case 'reset':
      response.destroy();
      return true;
    case 'status':
      response.writeHead(fault.status, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ message: fault.message }));
      return true;
    case 'redirect':
      response.writeHead(307, { location: fault.location });
      response.end();
      return true;
    case 'replay':
      closeBehind(socket, fault.bytes, fault.end);
      return true;
    case 'delay':
      await sleep(fault.ms);
      return false;
    case 'lost-answer':
    case 'hang-after':
    case 'cut':
    case 'truncated-body':
    case 'slow-body':
    case 'garbage':
    case 'endless':
    case 'padded-body':
    case 'broken-chunks':
    case 'wrong-length':
    case 'interim':
    case undefined:
      return false;
  }
};
