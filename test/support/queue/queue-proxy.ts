import { createServer, connect, type Server, type Socket } from 'node:net';

/** Stands between a client and a server on 127.0.0.1 and can take the server away without touching its data. */
export interface FaultProxy {
  readonly port: number;
  /** Breaks every connection and refuses new ones, like a server that was killed. */
  readonly cut: () => Promise<void>;
  /** Breaks every connection and closes each new one as soon as it is there, like a proxy whose server was killed. */
  readonly spurn: () => void;
  readonly restore: () => Promise<void>;
  /** Connections that were made so far, spurned ones too. */
  readonly accepted: () => number;
  /** Keeps connections open but passes nothing on, like a server that hangs. */
  readonly freeze: () => void;
  readonly thaw: () => void;
  readonly close: () => Promise<void>;
}

export async function startProxy(targetPort: number): Promise<FaultProxy> {
  const sockets = new Set<Socket>();
  let frozen = false;
  let spurning = false;
  let accepted = 0;
  const accept = (client: Socket): void => {
    accepted += 1;
    if (spurning) {
      client.on('error', () => undefined).destroy();
      return;
    }
    const target = connect(targetPort, '127.0.0.1');
    for (const [one, other] of [
      [client, target],
      [target, client],
    ] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
      one.on('data', (chunk) => void other.write(chunk));
      if (frozen) one.pause();
    }
  };
  let server: Server = createServer(accept);
  const listen = (port: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
  await listen(0);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  const { port } = address;

  const cut = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return {
    port,
    cut,
    spurn: () => {
      spurning = true;
      for (const socket of sockets) socket.destroy();
    },
    accepted: () => accepted,
    restore: async () => {
      spurning = false;
      if (server.listening) return;
      server = createServer(accept);
      await listen(port);
    },
    freeze: () => {
      frozen = true;
      for (const socket of sockets) socket.pause();
    },
    thaw: () => {
      frozen = false;
      for (const socket of sockets) socket.resume();
    },
    close: cut,
  };
}
