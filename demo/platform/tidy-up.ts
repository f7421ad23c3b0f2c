import type { ShutdownStack } from '../../src/app/shutdown-stack.js';
import { messageOf } from '../../src/domain/errors.js';

/** Said instead of "clean up", which is what the program does to containers. */
export interface TidyUp extends ShutdownStack {
  /** What could not be removed, one line each. */
  readonly problems: () => readonly string[];
}

/** Removes everything the demo created, in reverse order. It goes on after a failure, and remembers it. */
export function createTidyUp(): TidyUp {
  const created: { readonly what: string; readonly remove: () => Promise<unknown> }[] = [];
  const problems: string[] = [];
  return {
    add: (what, remove) => void created.push({ what, remove }),
    closeAll: async () => {
      for (let next = created.pop(); next !== undefined; next = created.pop()) {
        const { what, remove } = next;
        await remove().catch((error: unknown) => problems.push(`${what}: ${messageOf(error)}`));
      }
    },
    problems: () => problems,
  };
}
