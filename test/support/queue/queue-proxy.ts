import { createServer, connect, type Server, type Socket } from 'node:net';
import { createChanges, type Until } from '../changes.js';

/** Stands between a client and a server on 127.0.0.1, and makes the server unavailable without touching its data. */
export interface FaultProxy {
  readonly port: number;
  /** Breaks every connection and refuses new ones, like a server that was killed. */
  readonly cut: () => Promise<void>;
  /** Breaks every connection and closes each new one after accepting it, like a proxy whose server was killed. */
  readonly closeAccepted: () => void;
  readonly restore: () => Promise<void>;
  /** How many connections were accepted so far, those that were closed at once included. */
  readonly accepted: () => number;
  /** The assertion is checked at each accepted connection. */
  readonly untilAccepted: Until;
  /** Keeps connections open but forwards nothing, like a server that hangs. */
  readonly freeze: () => void;
  readonly thaw: () => void;
  readonly close: () => Promise<void>;
}

export async function startProxy(targetPort: number): Promise<FaultProxy> {
  const connections = createConnections(targetPort);
  let server: Server = createServer(connections.accept);
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
    connections.destroy();
    await closed;
  };
  return {
    port,
    cut,
    closeAccepted: () => {
      connections.closeNew();
      connections.destroy();
    },
    accepted: connections.accepted,
    untilAccepted: connections.untilAccepted,
    restore: async () => {
      connections.keepNew();
      if (server.listening) return;
      server = createServer(connections.accept);
      await listen(port);
    },
    freeze: connections.freeze,
    thaw: connections.thaw,
    close: cut,
  };
}

/** The open connections of one proxy, each a pair of sockets. */
function createConnections(targetPort: number) {
  const sockets = new Set<Socket>();
  let isFrozen = false;
  let closesNew = false;
  let accepted = 0;
  const changes = createChanges();
  return {
    accept: (client: Socket): void => {
      accepted += 1;
      changes.notify();
      if (closesNew) {
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
        if (isFrozen) one.pause();
      }
    },
    accepted: () => accepted,
    untilAccepted: changes.until,
    closeNew: () => void (closesNew = true),
    keepNew: () => void (closesNew = false),
    destroy: () => {
      for (const socket of sockets) socket.destroy();
    },
    freeze: () => {
      isFrozen = true;
      for (const socket of sockets) socket.pause();
    },
    thaw: () => {
      isFrozen = false;
      for (const socket of sockets) socket.resume();
    },
  };
}
