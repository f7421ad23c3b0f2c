import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * `pass`: bytes go both ways.
 * `blackhole`: connections open and stay open, no byte gets through; what was sent arrives when `pass` comes back.
 * `reset`: live connections and every new one are reset.
 * `refuse`: live connections are reset and nobody listens, as when the server is down.
 */
type TcpMode = 'pass' | 'blackhole' | 'reset' | 'refuse';

export interface TcpFaultProxy {
  readonly port: number;
  /** The given URL with the proxy's address in place of its own. */
  readonly urlFor: (url: string) => string;
  readonly use: (mode: TcpMode) => Promise<void>;
  /** Delays every chunk in each direction; a round trip takes twice this. */
  readonly setLatency: (ms: number) => void;
  /** Resets what is open now; new connections are treated by the current mode. */
  readonly resetConnections: () => void;
  readonly connections: () => number;
  readonly close: () => Promise<void>;
}

interface Line {
  readonly mode: () => TcpMode;
  readonly latencyMs: () => number;
  /** Resolves when the mode next changes. */
  readonly modeChange: () => Promise<void>;
}

/** Carries bytes one way, in order, each chunk after its latency, none while the line is a black hole. */
const carry = (from: Socket, to: Socket, line: Line): void => {
  let delivered = Promise.resolve();
  const deliver = async (chunk: Buffer, dueMs: number): Promise<void> => {
    const waitMs = dueMs - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    while (line.mode() === 'blackhole' && !to.destroyed) await line.modeChange();
    if (!to.destroyed) to.write(chunk);
  };
  from.on('data', (chunk: Buffer) => {
    const dueMs = performance.now() + line.latencyMs();
    delivered = delivered.then(() => deliver(chunk, dueMs));
  });
  from.once('end', () => {
    delivered = delivered.then(() => void to.end());
  });
};

const listen = async (server: Server, port: number): Promise<number> => {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no TCP address');
  return address.port;
};

/** A TCP proxy on 127.0.0.1 in front of a server there, whose line can be made bad in several ways. */
export const startTcpFaultProxy = async ({
  host = '127.0.0.1',
  port: targetPort,
}: {
  readonly host?: string;
  readonly port: number;
}): Promise<TcpFaultProxy> => {
  let mode: TcpMode = 'pass';
  let latencyMs = 0;
  let announceChange: () => void = () => undefined;
  let modeChange = Promise.resolve();
  const pairs = new Set<readonly [Socket, Socket]>();
  const line: Line = { mode: () => mode, latencyMs: () => latencyMs, modeChange: () => modeChange };

  const renewModeChange = () => {
    announceChange();
    modeChange = new Promise((resolve) => {
      announceChange = resolve;
    });
  };
  renewModeChange();

  const accept = (client: Socket): void => {
    if (mode === 'reset' || mode === 'refuse') {
      client.on('error', () => undefined);
      client.resetAndDestroy();
      return;
    }
    const server = connect({ host, port: targetPort, allowHalfOpen: true, noDelay: true });
    const pair = [client, server] as const;
    pairs.add(pair);
    for (const [from, to] of [pair, [server, client] as const]) {
      carry(from, to, line);
      from.on('error', () => to.resetAndDestroy());
      from.once('close', () => {
        pairs.delete(pair);
        // A line that is dead carries no news of the other side's end either.
        if (mode !== 'blackhole') to.destroySoon();
      });
    }
  };

  const listener = createServer({ allowHalfOpen: true, noDelay: true }, accept);
  const port = await listen(listener, 0);

  const resetConnections = (): void => {
    for (const [client, server] of pairs) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
    pairs.clear();
  };
  const stopListening = async (): Promise<void> => {
    if (!listener.listening) return;
    const closed = once(listener, 'close');
    listener.close();
    resetConnections();
    await closed;
  };

  return {
    port,
    urlFor: (url) => {
      const through = new URL(url);
      through.hostname = '127.0.0.1';
      through.port = String(port);
      return through.href;
    },
    use: async (next) => {
      mode = next;
      renewModeChange();
      if (next === 'refuse') await stopListening();
      else if (!listener.listening) await listen(listener, port);
      if (next === 'reset') resetConnections();
    },
    setLatency: (ms) => {
      latencyMs = ms;
    },
    resetConnections,
    connections: () => pairs.size,
    close: async () => {
      mode = 'pass';
      renewModeChange();
      resetConnections();
      await stopListening();
    },
  };
};
