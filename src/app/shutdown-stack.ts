import type { Log } from '../telemetry/logger.js';

/** Things that were opened, to be closed in reverse order. One that fails to close keeps no other from it. */
export interface ShutdownStack {
  readonly add: (what: string, close: () => Promise<unknown>) => void;
  /** Closes everything added so far; a second call finds nothing left. */
  readonly closeAll: () => Promise<void>;
}

export function createShutdownStack(log: Log): ShutdownStack {
  const open: { readonly what: string; readonly close: () => Promise<unknown> }[] = [];
  return {
    add: (what, close) => {
      open.push({ what, close });
    },
    closeAll: async () => {
      for (let next = open.pop(); next !== undefined; next = open.pop()) {
        const { what, close } = next;
        await close().catch((error: unknown) => log.warn({ err: error, what }, 'could not close'));
      }
    },
  };
}

/** Opens several things in a row; if one of them fails, those before it are closed again. */
export async function opening<Opened>(log: Log, open: (closing: ShutdownStack) => Promise<Opened>): Promise<Opened> {
  const closing = createShutdownStack(log);
  try {
    return await open(closing);
  } catch (error) {
    await closing.closeAll();
    throw error;
  }
}
