/** One direction of one connection through the TCP fault proxy. */
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export type Direction = 'to-server' | 'to-client';

/** What the line does at this moment; asked anew for every chunk. */
export interface LineState {
  /** Nothing passes in this direction now; it is kept. */
  readonly isHeld: (direction: Direction) => boolean;
  /** The news that one side has ended does not reach the other, now or later. */
  readonly losesEnds: () => boolean;
  readonly latencyMs: () => number;
  /** Infinite where there is no limit. */
  readonly bytesPerSecond: () => number;
  /** How many of so many bytes may still pass, and whether the line is to be cut behind them; counts them as passed. */
  readonly take: (direction: Direction, bytes: number) => { readonly allowed: number; readonly isLast: boolean };
  /** Resolves when any of this next changes. */
  readonly change: () => Promise<void>;
  readonly cut: () => void;
}

// What a real line and its sockets hold before the sender must wait.
const HELD_MAX_BYTES = 1 << 20;
/** A slow line passes what is due in this time at once. */
const SLICE_MS = 20;

/**
 * Ends a socket as a host does that knows nothing of the connection. One whose own end is still on its way cannot be reset:
 * Node would report it closed and keep its handle, and with that the process, for ever.
 */
export const reset = (socket: Socket): void => {
  if (socket.writableEnded && !socket.writableFinished) socket.destroy();
  else socket.resetAndDestroy();
};

/** Carries bytes one way, in order, each chunk after its latency, and at last the end. */
export const carry = (from: Socket, to: Socket, direction: Direction, line: LineState): void => {
  let delivered = Promise.resolve();
  let heldBytes = 0;

  const untilOpen = async (): Promise<void> => {
    while (line.isHeld(direction) && !to.destroyed) await line.change();
  };

  const pass = async (bytes: Buffer): Promise<void> => {
    if (to.destroyed) {
      // A host that has no such connection any more says so, unless the line keeps that news to itself.
      if (!line.losesEnds()) reset(from);
      return;
    }
    const { allowed, isLast } = line.take(direction, bytes.length);
    const isTaken = to.write(bytes.subarray(0, allowed));
    if (isLast) await cutBehind();
    else if (!isTaken) await drained(to);
  };

  /** In the turn after the write the bytes are with the kernel; before, the reset could overtake them. */
  const cutBehind = (): Promise<void> =>
    new Promise((resolve) => {
      setImmediate(() => {
        line.cut();
        resolve();
      });
    });

  const deliver = async (chunk: Buffer, dueMs: number): Promise<void> => {
    const waitMs = dueMs - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    for (let at = 0; at < chunk.length;) {
      await untilOpen();
      const rate = line.bytesPerSecond();
      const slice = chunk.subarray(at, at + Math.max(1, Math.floor((rate * SLICE_MS) / 1_000)));
      if (Number.isFinite(rate)) await sleep((slice.length / rate) * 1_000);
      await pass(slice);
      at += slice.length;
    }
  };

  from.on('data', (chunk: Buffer) => {
    const dueMs = performance.now() + line.latencyMs();
    heldBytes += chunk.length;
    if (heldBytes > HELD_MAX_BYTES) from.pause();
    delivered = delivered.then(async () => {
      await deliver(chunk, dueMs);
      heldBytes -= chunk.length;
      if (heldBytes <= HELD_MAX_BYTES) from.resume();
    });
  });
  from.once('end', () => {
    const dueMs = performance.now() + line.latencyMs();
    delivered = delivered.then(async () => {
      await deliver(Buffer.alloc(0), dueMs);
      await untilOpen();
      if (line.losesEnds()) from.destroy();
      else to.end();
    });
  });
};

const drained = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      socket.off('drain', done).off('close', done);
      resolve();
    };
    socket.on('drain', done).on('close', done);
  });
