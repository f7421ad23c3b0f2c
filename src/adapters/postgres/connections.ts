/**
 * The connections of one pool, or of several that lead to the same address. After a failover the address leads to another
 * node, but a connection that is open stays where it is: with a node that is a standby now, or with one that was made
 * read-only. The driver and its pool know only broken connections, so a connection that leads to the wrong node is broken
 * here, and the next use makes a new one.
 */
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Client, type ClientConfig, type DatabaseError } from 'pg';
import { UnavailableError } from '../../domain/errors.js';
import { READ_ONLY_STATE } from '../outage.js';
import { connectFailure } from './connect-failure.js';
import type { TlsOptions } from './tls.js';

type ConnectCallback = Parameters<Client['connect']>[0];

/** A connection of such a pool. */
export abstract class RenewedClient extends Client {
  /** Closes this connection and all others of its pools: each would cost one failed attempt to find out the same. */
  abstract readonly giveUp: () => void;
}

export interface Connections {
  readonly Client: new (config?: ClientConfig) => Client;
}

interface Opening {
  /** Asked for each new connection. */
  readonly currentTls: () => TlsOptions;
  readonly connectTimeoutMs: number;
}

/** Options for pools whose connections are given up together. */
export function connectionsOf({ currentTls, connectTimeoutMs }: Opening): Connections {
  const open = new Set<Socket>();

  function openSocket(): Socket {
    const socket = new Socket();
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    return socket;
  }

  function giveUp(): void {
    const why = 'PostgreSQL is not available: the connection led to a node that can only be read, so it was closed';
    for (const socket of open) socket.destroy(new UnavailableError('postgresql', why));
  }

  class PoolMember extends RenewedClient {
    readonly #socket: Duplex;

    constructor(config: ClientConfig = {}) {
      // The pool hides the password from enumeration, and with that from the spread.
      const { password } = config;
      super({
        ...config,
        password,
        ssl: currentTls(),
        stream: openSocket,
        connectionTimeoutMillis: connectTimeoutMs,
      });
      // Later this may be the encrypted stream upon the socket.
      this.#socket = this.connection.stream;
      // When the connection of a lent client breaks, its user learns it from the query that fails. The client also emits
      // this event, and without a listener Node ends the process.
      this.on('error', () => undefined);
      this.connection.on('errorMessage', ({ code = '' }: DatabaseError) => this.#judge(code));
    }

    readonly giveUp = giveUp;

    /** The client's own listener hands the error to its query in this turn; the socket reports its end in the next. */
    #judge(sqlState: string): void {
      if (sqlState === READ_ONLY_STATE) giveUp();
      // A server that stops closes the connection itself, a pooler that has lost its server may keep it.
      else if (/^(?:08|57P)/.test(sqlState)) this.#socket.destroy();
    }

    override connect(): Promise<Client>;
    override connect(callback: ConnectCallback): void;
    override connect(callback?: ConnectCallback): Promise<Client> | void {
      if (callback === undefined) {
        return super.connect().catch((error: unknown) => {
          throw error instanceof Error ? connectFailure(error) : error;
        });
      }
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- its type is a union of the forms for failure and success
      const done = callback as (error: Error | null) => void;
      super.connect((error: Error | null) => done(error === null ? null : connectFailure(error)));
    }
  }

  return { Client: PoolMember };
}
