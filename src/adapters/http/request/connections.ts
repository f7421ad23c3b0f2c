import type { Socket } from 'node:net';
import { refused, problemBody } from '../response/problem.js';
import type { RequestRefusedError } from '../../../domain/errors.js';

/** How long a client may take, in Fastify's words. */
export const CONNECTION_LIMITS = {
  /** For a whole request to arrive; how long an answer may take is each route's own affair. */
  requestTimeout: 30_000,
  /** Longer than what usual proxies keep an idle connection, so that it is they who end it. */
  keepAliveTimeout: 75_000,
  /** Nothing sent either way for so long; far longer than the longest wait. */
  connectionTimeout: 300_000,
  http: { headersTimeout: 10_000 },
} as const;

/** The connections on which something has been asked, on whichever address. */
export interface Connections {
  readonly note: (socket: Socket) => void;
  /** Ends all of them whatever goes on in them. */
  readonly destroyAll: () => void;
}

/** Fastify makes a second server for the other address of `localhost` and keeps it to itself. */
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
const NO_HTTP = refused('invalid_request', 'this is no request as HTTP has it');

/** Answers what could not even be read as a request. */
export function answerClientError(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const problem = CLIENT_ERRORS.get(error.code ?? '') ?? NO_HTTP;
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
