/** Answers below HTTP: bytes on the wire as no HTTP library would write them. */
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** How a connection ends: with the order of a program that closes it, or at once. Only TCP knows `reset`. */
export type Ending = 'fin' | 'reset';

/** Which part of an answer does not end: its headers, its body, or the interim answers before it. */
export type StreamPart = 'headers' | 'body' | 'interim';

export const NO_HTTP = Buffer.from('SSH-2.0-OpenSSH_9.2\r\n\0\u0001\u0002 this is no HTTP\r\n\r\n', 'latin1');

/** Sends `bytes` and then ends the connection, in this order on the wire too. */
export const closeBehind = (socket: Socket, bytes: Buffer, end: Ending): void => {
  const close = (): void => {
    if (end === 'fin') socket.destroySoon();
    else socket.resetAndDestroy();
  };
  if (bytes.length === 0) close();
  // Only in the next turn is the last write with the kernel for certain.
  else socket.write(bytes, () => void setImmediate(close));
};

const START: Readonly<Record<StreamPart, string>> = {
  headers: 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n',
  body: 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n',
  interim: '',
};
const PIECE: Readonly<Record<StreamPart, string>> = {
  headers: 'X-Endless: yes\r\n',
  body: `1000\r\n${' '.repeat(4_096)}\r\n`,
  interim: 'HTTP/1.1 103 Early Hints\r\n\r\n',
};
const TICK_MS = 10;

/** Sends a part of an answer over and over until the other side closes the connection. */
export const pour = async (socket: Socket, part: StreamPart, bytesPerSecond: number): Promise<void> => {
  const closed = new Promise((resolve) => socket.once('close', resolve));
  const bytesPerTick = (bytesPerSecond * TICK_MS) / 1_000;
  const portion = PIECE[part].repeat(Math.max(1, Math.round(bytesPerTick / PIECE[part].length)));
  socket.write(START[part]);
  while (!socket.destroyed) {
    const isTaken = socket.write(portion);
    if (!isTaken) await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), closed]);
    await sleep(TICK_MS);
  }
};

/** Half of the body is a whole chunk. The next one says more than comes, or no number at all. */
export const breakChunks = (
  socket: Socket,
  { status, body }: { readonly status: number; readonly body: Buffer },
  how: 'cut' | 'malformed',
): void => {
  const half = body.subarray(0, Math.ceil(body.length / 2));
  const rest = body.subarray(half.length);
  const head = `HTTP/1.1 ${status} Broken\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`;
  const length = how === 'cut' ? (rest.length + 1).toString(16) : 'many';
  const parts = [head, `${half.length.toString(16)}\r\n`, half, `\r\n${length}\r\n`, rest];
  closeBehind(socket, Buffer.concat(parts.map((part) => Buffer.from(part))), 'fin');
};

export const sendInterim = (socket: Socket, status: 100 | 101 | 102 | 103): void => {
  const switching = status === 101 ? 'Connection: Upgrade\r\nUpgrade: tcp\r\n' : '';
  socket.write(`HTTP/1.1 ${status} Interim\r\n${switching}\r\n`);
};

export interface AskedEngine {
  readonly engineSocket: string;
  readonly method: string;
  readonly path: string;
  readonly headers?: IncomingMessage['headers'];
}

/**
 * A request on a connection of its own: an idle one that the engine closes meanwhile would look like a fault. `raw`
 * has the bytes that came over the wire until now.
 */
export const askEngine = (
  { engineSocket, method, path, headers = {} }: AskedEngine,
  answered: (answer: IncomingMessage, raw: () => Buffer) => void,
): ReturnType<typeof request> => {
  const parts: Buffer[] = [];
  const socket = connect(engineSocket);
  socket.on('data', (part: Buffer) => parts.push(part));
  return request({ createConnection: () => socket, method, path, headers }, (answer) => {
    // No agent manages this connection, so it is closed here.
    answer.once('close', () => socket.destroy());
    answered(answer, () => Buffer.concat(parts));
  });
};

/** The bytes of the engine's own answer, from the status line to the end of the body. */
export const rawAnswer = async (asked: AskedEngine): Promise<Buffer> => {
  const [answer, raw] = await new Promise<[IncomingMessage, () => Buffer]>((resolve, reject) => {
    const sent = askEngine(
      { ...asked, headers: { host: 'docker', connection: 'keep-alive', ...asked.headers } },
      (...both) => resolve(both),
    );
    sent.once('error', reject).end();
  });
  const ended = once(answer, 'end');
  answer.resume();
  await ended;
  return raw();
};
