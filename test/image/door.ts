/** What is published on loopback in the engine's network namespace, reached from this one. */
import { spawn } from 'node:child_process';
import { request } from 'node:http';
import { join } from 'node:path';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

interface Answer {
  readonly status: number;
  readonly text: string;
}

export interface Door {
  /** Asks the API with the platform's token; rejects when it does not answer. */
  readonly ask: (method: string, path: string, headers?: Readonly<Record<string, string>>) => Promise<Answer>;
  readonly close: () => void;
}

// A socket in the file system belongs to no network namespace.
const RELAY = `
const { createServer, connect } = require('node:net');
const [socketPath, port] = process.argv.slice(1);
createServer((outer) => {
  const inner = connect(Number(port), '127.0.0.1');
  for (const [one, other] of [[inner, outer], [outer, inner]]) one.pipe(other).on('error', () => one.destroy());
  for (const [one, other] of [[inner, outer], [outer, inner]]) one.on('error', () => other.destroy());
}).listen(socketPath, () => console.log('open'));
`;

interface Options {
  readonly enginePid: number;
  readonly folder: string;
  readonly token: string;
  readonly port: number;
}

export async function openDoor({ enginePid, folder, token, port }: Options): Promise<Door> {
  const socketPath = join(folder, 'door.sock');
  const net = `--net=/proc/${enginePid}/ns/net`;
  const relay = spawn('nsenter', [net, '--', process.execPath, '-e', RELAY, socketPath, String(port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const close = (): void => void relay.kill();
  process.once('exit', close);
  await once(relay.stdout, 'data');

  return {
    ask: (method, path, headers = {}) =>
      new Promise((resolve, reject) => {
        const authorization = `Bearer ${token}`;
        const asked = request({ socketPath, method, path, headers: { host: 'localhost', authorization, ...headers } });
        asked.once('error', reject);
        asked.once('response', (response) => {
          text(response).then((body) => resolve({ status: response.statusCode ?? 0, text: body }), reject);
        });
        asked.end();
      }),
    close: () => {
      process.off('exit', close);
      close();
    },
  };
}
