import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { carry, type Direction, type LineState, reset } from './tcp-line.js';

/**
 * `pass`: bytes go both ways.
 * `blackhole`: connections open and stay open, no byte gets through; what was sent arrives when `pass` comes back.
 * `mute-client`: half open; what the server sends arrives, what the client sends is kept until `pass`.
 * `mute-server`: half open the other way round.
 * `lost-end`: bytes go both ways, but who closes or resets a connection is not heard of on the other side, ever.
 * `reset`: live connections and every new one are reset.
 * `refuse`: open connections are reset and there is no listener, as when the server is down.
 */
export type TcpMode = 'pass' | 'blackhole' | 'mute-client' | 'mute-server' | 'lost-end' | 'reset' | 'refuse';

export interface TcpFaultProxy {
  readonly port: number;
  /** The given URL with the proxy's address in place of its own. */
  readonly urlFor: (url: string) => string;
  readonly use: (mode: TcpMode) => Promise<void>;
  /** Connections that are made from now on lead to this port; open ones stay where they are. */
  readonly redirect: (port: number) => void;
  /** Delays every chunk in each direction; a round trip takes twice this. */
  readonly setLatency: (ms: number) => void;
  /** Each direction of each connection carries no more than this; `Infinity` lifts the limit. */
  readonly setBandwidth: (bytesPerSecond: number) => void;
  /** After so many more bytes in this direction, over all connections, everything open is reset; once. */
  readonly cutAfter: (direction: Direction, bytes: number) => void;
  /** Resets what is open now; new connections are treated by the current mode. */
  readonly resetConnections: () => void;
  readonly connections: () => number;
  readonly close: () => Promise<void>;
}

const HELD: Readonly<Record<TcpMode, readonly Direction[]>> = {
  pass: [],
  blackhole: ['to-server', 'to-client'],
  'mute-client': ['to-server'],
  'mute-server': ['to-client'],
  'lost-end': [],
  reset: [],
  refuse: [],
};

const listen = async (server: Server, port: number): Promise<number> => {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no TCP address');
  return address.port;
};

/** The settings that all connections of one proxy share. */
const createSettings = (cut: () => void) => {
  let mode: TcpMode = 'pass';
  let latencyMs = 0;
  let bytesPerSecond = Infinity;
  const bytesLeft = new Map<Direction, number>();
  let announceChange: () => void = () => undefined;
  let change = Promise.resolve();
  const renewChange = (): void => {
    announceChange();
    change = new Promise((resolve) => {
      announceChange = resolve;
    });
  };
  renewChange();

  const line: LineState = {
    isHeld: (direction) => HELD[mode].includes(direction),
    losesEnds: () => mode === 'lost-end',
    latencyMs: () => latencyMs,
    bytesPerSecond: () => bytesPerSecond,
    take: (direction, bytes) => {
      const left = bytesLeft.get(direction) ?? Infinity;
      const isLast = left <= bytes;
      if (isLast) bytesLeft.delete(direction);
      else bytesLeft.set(direction, left - bytes);
      return { allowed: Math.min(left, bytes), isLast };
    },
    change: () => change,
    cut,
  };
  return {
    line,
    mode: () => mode,
    use: (next: TcpMode): void => {
      mode = next;
      renewChange();
    },
    setLatency: (ms: number): void => {
      latencyMs = ms;
    },
    setBandwidth: (rate: number): void => {
      bytesPerSecond = rate;
    },
    cutAfter: (direction: Direction, bytes: number): void => {
      bytesLeft.set(direction, bytes);
    },
  };
};

/** A TCP proxy on 127.0.0.1 in front of a server there, whose line can be made bad in several ways. */
export const startTcpFaultProxy = async ({
  host = '127.0.0.1',
  port: firstPort,
}: {
  readonly host?: string;
  readonly port: number;
}): Promise<TcpFaultProxy> => {
  let serverPort = firstPort;
  const pairs = new Set<readonly [Socket, Socket]>();
  const resetConnections = (): void => {
    for (const [client, server] of pairs) {
      reset(client);
      reset(server);
    }
    pairs.clear();
  };
  const settings = createSettings(resetConnections);
  const { line } = settings;

  /** What becomes of the other side when one is closed or reset. */
  const join = (from: Socket, to: Socket, direction: Direction, forget: () => void): void => {
    // A line that is dead carries no news of the other side's end either.
    const isHeard = (): boolean => !line.losesEnds() && !line.isHeld(direction);
    carry(from, to, direction, line);
    from.on('error', () => {
      if (isHeard()) reset(to);
    });
    from.once('close', () => {
      if (to.destroyed) forget();
      else if (isHeard()) to.destroySoon();
    });
  };

  const accept = (client: Socket): void => {
    if (settings.mode() === 'reset' || settings.mode() === 'refuse') {
      client.on('error', () => undefined);
      reset(client);
      return;
    }
    const server = connect({ host, port: serverPort, allowHalfOpen: true, noDelay: true });
    const pair = [client, server] as const;
    pairs.add(pair);
    const forget = (): void => void pairs.delete(pair);
    join(client, server, 'to-server', forget);
    join(server, client, 'to-client', forget);
  };

  const listener = createServer({ allowHalfOpen: true, noDelay: true }, accept);
  const port = await listen(listener, 0);

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
      settings.use(next);
      if (next === 'refuse') await stopListening();
      else if (!listener.listening) await listen(listener, port);
      if (next === 'reset') resetConnections();
    },
    redirect: (next) => {
      serverPort = next;
    },
    setLatency: settings.setLatency,
    setBandwidth: settings.setBandwidth,
    cutAfter: settings.cutAfter,
    resetConnections,
    connections: () => pairs.size,
    close: async () => {
      settings.use('pass');
      resetConnections();
      await stopListening();
    },
  };
};
