/** A connection on which a test writes and reads bytes itself: no library hides what is wrong with them. */
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { expect } from 'vitest';
import { type Changes, createChanges } from '../changes.js';

export interface Wire {
  readonly socket: Socket;
  readonly received: () => Buffer;
  /** The bytes received so far, one character each. */
  readonly text: () => string;
  /** How the other side ended the connection: `end`, the code of an error, or undefined while it is open. */
  readonly ending: () => string | undefined;
  /** Makes the assertion again when bytes arrive and when the connection ends. */
  readonly until: Changes['until'];
  /** Resolves when exactly this text, or text that matches, has been received. */
  readonly untilText: (expected: string | RegExp) => Promise<void>;
  /** Resolves when the other side has ended the connection in one of these ways. */
  readonly untilEnded: (...endings: readonly string[]) => Promise<void>;
}

export function openWire(to: NetConnectOpts): Wire {
  const socket = connect(to);
  const change = createChanges();
  const parts: Buffer[] = [];
  let ending: string | undefined;
  const end = (how: string | undefined): void => {
    ending ??= how;
    change.notify();
  };
  socket.on('data', (part: Buffer) => {
    parts.push(part);
    change.notify();
  });
  socket.once('end', () => end('end'));
  socket.on('error', (error: NodeJS.ErrnoException) => end(error.code));

  const received = (): Buffer => Buffer.concat(parts);
  const text = (): string => received().toString('latin1');
  return {
    socket,
    received,
    text,
    ending: () => ending,
    until: change.until,
    untilText: (expected) =>
      change.until(() =>
        expected instanceof RegExp ? expect(text()).toMatch(expected) : expect(text()).toBe(expected),
      ),
    untilEnded: (...endings) => change.until(() => expect(endings).toContain(ending)),
  };
}
