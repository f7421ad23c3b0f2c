import type { ShutdownStack } from '../../src/app/shutdown-stack.js';
import { messageOf } from '../../src/domain/errors.js';

export interface TidyUp extends ShutdownStack {
  /** What could not be undone, one line each. */
  readonly problems: () => readonly string[];
}

/** Everything the demonstration makes is undone in reverse order; what cannot be undone keeps nothing else from it. */
export function createTidyUp(): TidyUp {
  const made: { readonly what: string; readonly undo: () => Promise<unknown> }[] = [];
  const problems: string[] = [];
  return {
    add: (what, undo) => void made.push({ what, undo }),
    closeAll: async () => {
      for (let next = made.pop(); next !== undefined; next = made.pop()) {
        const { what, undo } = next;
        await undo().catch((error: unknown) => problems.push(`${what}: ${messageOf(error)}`));
      }
    },
    problems: () => problems,
  };
}
