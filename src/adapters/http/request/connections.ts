/** Connections: their time limits, which ones are open, requests that cannot be parsed, and callers that disconnect. */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { NotWaitedForError, type RequestRefusedError } from '../../../domain/errors.js';
import { refused, problemBody } from '../response/problem.js';

/** Time limits of a connection, under the names of Fastify's options. */
export const CONNECTION_LIMITS = {
  /** For a whole request to arrive. Each route limits the time of its answer itself. */
  requestTimeout: 30_000,
  /** Longer than the idle time of common proxies, so that the proxy closes an idle connection first. */
  keepAliveTimeout: 75_000,
  /** Closes a connection without traffic in either direction; far longer than the longest wait for a job. */
  connectionTimeout: 300_000,
  http: { headersTimeout: 10_000 },
} as const;

/** The open connections that have carried a request. */
export interface Connections {
  readonly note: (socket: Socket) => void;
  /** Closes all of them, whether or not a request is running on them. */
  readonly destroyAll: () => void;
}

/** Fastify makes a second server for the other address of `localhost` and does not expose it, so sockets are kept here. */
export function createConnections(): Connections {
  const sockets = new Set<Socket>();
  return {
    note: (socket) => {
      if (sockets.has(socket)) return;
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    },
    destroyAll: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}

const CLIENT_ERRORS: ReadonlyMap<string, RequestRefusedError> = new Map([
  ['HPE_HEADER_OVERFLOW', refused('invalid_request', 'path and headers are longer than 16 KiB', 431)],
  ['ERR_HTTP_REQUEST_TIMEOUT', refused('invalid_request', 'the request did not arrive in time', 408)],
]);
const NOT_HTTP = refused('invalid_request', 'the request is not valid HTTP');

/** Answers bytes that could not be parsed as a request. */
export function answerClientError(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const problem = CLIENT_ERRORS.get(error.code ?? '') ?? NOT_HTTP;
  const body = JSON.stringify(problemBody(problem));
  const head = [
    `HTTP/1.1 ${problem.statusCode} Refused`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'X-Content-Type-Options: nosniff',
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

/** The client that waits for one answer. */
export interface Caller {
  /** Aborted when the caller disconnects or the server is about to stop. */
  readonly signal: AbortSignal;
  /** Stops watching; the connection may carry further requests. */
  readonly forget: () => void;
}

/** Watches the connection while an answer is prepared, so that the work stops when the caller disconnects. */
export function watchCaller(response: ServerResponse, closing: AbortSignal): Caller {
  const disconnected = new AbortController();
  const abort = (): void => disconnected.abort(new NotWaitedForError('the caller has disconnected'));
  // The connection may be closed already; then no `close` event follows.
  if (response.destroyed || response.socket?.destroyed === true) abort();
  response.once('close', abort);
  return {
    signal: AbortSignal.any([disconnected.signal, closing]),
    forget: () => void response.off('close', abort),
  };
}
