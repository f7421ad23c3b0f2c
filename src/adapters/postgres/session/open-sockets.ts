/**
 * The sockets of the connections of one pool. After a failover the address leads to another node, but a connection that is
 * open stays where it is: with a node that is a standby now, or with one that was made read-only. The driver and its pool
 * know only broken connections, so connections that lead to the wrong node are broken here, and the next use makes new ones.
 */
import { Socket } from 'node:net';
import { UnavailableError } from '../../../domain/errors.js';

export interface OpenSockets {
  /** Not connected yet; forgotten when it is closed. */
  readonly create: () => Socket;
  /** Closes all of them: each would cost one failed attempt to find out the same. */
  readonly giveUp: () => void;
}

export function createOpenSockets(): OpenSockets {
  const open = new Set<Socket>();
  return {
    create: () => {
      const socket = new Socket();
      open.add(socket);
      socket.once('close', () => open.delete(socket));
      return socket;
    },
    giveUp: () => {
      const why = 'PostgreSQL is not available: the connection led to a node that can only be read, so it was closed';
      for (const socket of open) socket.destroy(new UnavailableError('postgresql', why));
    },
  };
}
