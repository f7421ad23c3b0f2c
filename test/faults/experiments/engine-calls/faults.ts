/** What the laboratory does to calls of the engine, with the names of its table. */
import type { EngineFault } from '../../../support/engine/engine-faults.js';

export interface NamedFault {
  readonly name: string;
  readonly fault: EngineFault;
  /**
   * Whether a whole answer of the engine gets through in time: then it must be believed, else nothing may be concluded.
   * Some faults of a body leave an answer whole that has none.
   */
  readonly tells: 'all' | 'nothing' | 'what has no body';
}

const silent = (name: string, fault: EngineFault): NamedFault => ({ name, fault, tells: 'nothing' });
const telling = (name: string, fault: EngineFault): NamedFault => ({ name, fault, tells: 'all' });
const status = (code: number, message: string): NamedFault =>
  silent(`answer ${code} "${message}"`, { kind: 'status', status: code, message });

const FAST = 50_000_000;

/** Those that concern time are made for calls with this deadline. */
export const engineFaults = (timeoutMs: number): readonly NamedFault[] => [
  silent('reset before', { kind: 'reset' }),
  silent('answer lost', { kind: 'lost-answer' }),
  silent('hang before', { kind: 'hang' }),
  silent('hang after', { kind: 'hang-after' }),
  silent('forwarded after the deadline', { kind: 'delay', ms: timeoutMs + 300 }),
  telling('forwarded late, in time', { kind: 'delay', ms: timeoutMs / 10 }),
  {
    name: 'body a byte at a time',
    fault: { kind: 'slow-body', ms: timeoutMs / 5, bytes: 1 },
    tells: 'what has no body',
  },
  telling('slow body, in time', { kind: 'slow-body', ms: 1, bytes: 2_048 }),
  silent('body cut in half', { kind: 'truncated-body' }),
  silent('cut in the status line', { kind: 'cut', afterBytes: 10, end: 'fin' }),
  silent('cut in the headers', { kind: 'cut', afterBytes: 60, end: 'fin' }),
  silent('chunks that break off', { kind: 'broken-chunks', how: 'cut' }),
  silent('chunk without a length', { kind: 'broken-chunks', how: 'malformed' }),
  silent('no HTTP', { kind: 'garbage' }),
  silent('endless headers', { kind: 'endless', part: 'headers', bytesPerSecond: 1_000_000 }),
  silent('endless body', { kind: 'endless', part: 'body', bytesPerSecond: FAST }),
  silent('endless interim answers', { kind: 'endless', part: 'interim', bytesPerSecond: 100_000 }),
  telling('body behind a million blanks', { kind: 'padded-body', bytes: 1_000_000 }),
  silent('Content-Length too large', { kind: 'wrong-length', by: 1 }),
  // A byte less would only cut the end of the line, which no reader needs.
  silent('Content-Length too small', { kind: 'wrong-length', by: -2 }),
  telling('100 before the answer', { kind: 'interim', status: 100, only: false }),
  telling('102 before the answer', { kind: 'interim', status: 102, only: false }),
  telling('103 before the answer', { kind: 'interim', status: 103, only: false }),
  silent('103 and no answer', { kind: 'interim', status: 103, only: true }),
  silent('101, another protocol', { kind: 'interim', status: 101, only: false }),
  silent('redirect', { kind: 'redirect', location: 'http://127.0.0.1:1/elsewhere' }),
  status(200, 'welcome'),
  status(401, 'authorization needed'),
  status(404, 'page not found'),
  status(429, 'slow down'),
  status(500, 'broken'),
  status(502, 'bad gateway'),
  status(503, 'shutting down'),
];
