/** An engine that answers the bytes that the test gives. */
import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { anyJson, hostileText, nearly } from '../../unit/fuzz/hostile.js';

export const ID = '5e'.repeat(32);
export const OTHER_ID = 'd1'.repeat(32);

export interface RawAnswer {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: string;
  /** How the body's length is told, or its end. */
  readonly framing: 'length' | 'chunked' | 'close' | 'too long' | 'too short';
}

const bytesOf = ({ status, headers, body, framing }: RawAnswer): string => {
  const size = Buffer.byteLength(body);
  const lengths: Readonly<Record<RawAnswer['framing'], string>> = {
    length: `Content-Length: ${size}`,
    chunked: 'Transfer-Encoding: chunked',
    close: 'X-Length: none',
    'too long': `Content-Length: ${size + 7}`,
    'too short': `Content-Length: ${Math.max(0, size - 7)}`,
  };
  const sent = framing === 'chunked' && size > 0 ? `${size.toString(16)}\r\n${body}\r\n0\r\n\r\n` : body;
  const end = framing === 'chunked' && size === 0 ? '0\r\n\r\n' : sent;
  return [`HTTP/1.1 ${status} X`, 'Connection: close', lengths[framing], ...headers].join('\r\n') + `\r\n\r\n${end}`;
};

export interface RawEngine {
  readonly socketPath: string;
  /** The request lines so far, since `answer`. */
  readonly asked: () => readonly string[];
  /** Resolves when more than so many have been asked and every connection is closed: no more is to come by itself. */
  readonly quiet: (after: number) => Promise<void>;
  /** One answer for each request, the last of them for all that follow. */
  readonly answer: (answers: readonly RawAnswer[]) => void;
  readonly close: () => Promise<void>;
}

export async function startRawEngine(): Promise<RawEngine> {
  const folder = await mkdtemp(join(tmpdir(), 'raw-engine-'));
  const socketPath = join(folder, 'engine.sock');
  const sockets = new Set<Socket>();
  const closings = new EventEmitter();
  let script: readonly RawAnswer[] = [];
  let asked: string[] = [];

  const server = createServer((socket) => {
    sockets.add(socket);
    socket
      .on('error', () => undefined)
      .on('close', () => {
        sockets.delete(socket);
        closings.emit('closed');
      });
    let received = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      received += text;
      if (!received.includes('\r\n\r\n')) return;
      const answer = script[Math.min(asked.length, script.length - 1)];
      asked.push(received.slice(0, received.indexOf('\r\n')));
      received = '';
      // Each answer is the last on its connection: nothing of one is taken for the beginning of the next.
      if (answer === undefined) socket.destroy();
      else socket.end(bytesOf(answer));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(socketPath, resolve);
  });
  return {
    socketPath,
    asked: () => asked,
    quiet: async (after) => {
      while (asked.length <= after || sockets.size > 0) await once(closings, 'closed');
    },
    answer: (answers) => {
      script = answers;
      asked = [];
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const id = fc.oneof(
  { weight: 6, arbitrary: fc.constant(ID) },
  { weight: 2, arbitrary: fc.constantFrom(OTHER_ID, ID.slice(0, 12), ID.toUpperCase(), `/${ID}`) },
);
const word = fc.constantFrom(
  'created',
  'exited',
  'dead',
  'running',
  'paused',
  'restarting',
  'removing',
  'stopped',
  'stopping',
  'configured',
  '',
  'Exited',
  'zombie',
);

/** The engine's description of a container, or nearly so. */
const description = nearly({
  Id: id,
  Name: fc.constantFrom('/game-1', `/${ID}`, ID),
  State: nearly({
    Status: word,
    Running: fc.boolean(),
    Paused: fc.boolean(),
    Restarting: fc.boolean(),
    Dead: fc.boolean(),
    Error: hostileText,
  }),
  Config: nearly({
    Labels: fc.oneof(fc.constant(null), nearly({ 'com.galaxy.game_id': hostileText })),
  }),
  HostConfig: nearly({ RestartPolicy: nearly({ Name: fc.constantFrom('', 'no', 'always', 'on-failure') }) }),
});
const refusal = nearly({
  message: fc.oneof(
    fc.constantFrom(
      `No such container: ${ID}`,
      `no container with name or ID "${ID}" found: no such container`,
      `No such container: ${OTHER_ID}`,
      `No such image: ${ID}`,
      'page not found',
      'No such container: undefined',
      `removal of container ${ID} is already in progress`,
      `You cannot remove a running container ${ID}. Stop the container before attempting removal or force remove`,
    ),
    hostileText,
  ),
});

const written = (value: unknown): string => {
  try {
    return JSON.stringify(value) ?? '';
  } catch {
    return '[]';
  }
};
const twice = description.map((value) => written(value).replace(/^\{/, `{"Id":${JSON.stringify(OTHER_ID)},`));
const body = fc.oneof(
  { weight: 6, arbitrary: description.map(written) },
  { weight: 6, arbitrary: refusal.map(written) },
  { weight: 2, arbitrary: anyJson.map(written) },
  { weight: 1, arbitrary: twice },
  { weight: 2, arbitrary: hostileText },
  fc.constantFrom(
    '',
    'null',
    'false',
    '0',
    '""',
    '[]',
    '{}',
    '{"message":{"toString":1}}',
    '{"toString":1}',
    '{"message":null}',
    `<html><body>404: No such container: ${ID}</body></html>`,
    `{"message":"No such container: ${ID}"`,
    'x'.repeat(2_000_000),
  ),
);
const status = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(200, 204, 404) },
  { weight: 3, arbitrary: fc.constantFrom(201, 202, 301, 302, 304, 400, 401, 403, 409, 429, 500, 502, 503, 504) },
  fc.integer({ min: 100, max: 999 }),
);
const header = fc.constantFrom(
  'Content-Type: text/html',
  'Content-Encoding: gzip',
  'Location: http:///x',
  'Location: /containers/json',
  'Location: mailto:nobody',
  'Location: http://[',
  'Upgrade: tcp',
  'Connection: upgrade',
  'Content-Length: 5',
  'X-Bad: \u0001',
  'No colon',
  `Set-Cookie: ${'y'.repeat(20_000)}`,
);

export const rawAnswer: fc.Arbitrary<RawAnswer> = fc.record({
  status,
  headers: fc.array(header, { maxLength: 1 }),
  body,
  framing: fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom<RawAnswer['framing']>('length', 'chunked', 'close') },
    { weight: 1, arbitrary: fc.constantFrom<RawAnswer['framing']>('too long', 'too short') },
  ),
});
