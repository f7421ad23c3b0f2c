import type { Log } from '../telemetry/logger.js';

/** Closes what was opened, in reverse order. A part that fails to close does not keep the others open. */
export interface ShutdownStack {
  readonly add: (what: string, close: () => Promise<unknown>) => void;
  /** Closes everything added so far; a second call has nothing left to close. */
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

/** Opens several things one after the other; when one of them fails, closes those that were opened before it. */
export async function openAllOrNone<Opened>(
  log: Log,
  open: (closing: ShutdownStack) => Promise<Opened>,
): Promise<Opened> {
  const closing = createShutdownStack(log);
  try {
    return await open(closing);
  } catch (error) {
    await closing.closeAll();
    throw error;
  }
}
