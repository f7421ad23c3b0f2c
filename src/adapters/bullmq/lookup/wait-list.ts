import type { JobResult } from '../../../jobs/ports.js';

/** One caller's wait: the jobs it still waits for. */
export interface Waiter {
  readonly pending: Set<string>;
  /** Aborted when the caller or the list gives the wait up. */
  readonly signal: AbortSignal;
}

interface WaitOptions {
  readonly jobIds: readonly string[];
  readonly onEnd: (ending: JobResult) => void;
  /** The caller's. */
  readonly signal: AbortSignal;
  /** Called once the wait is in the list. */
  readonly onAdded: (waiter: Waiter) => void;
}

/** Who waits for which jobs; knows no queue. */
export interface WaitList {
  readonly isAwaited: (jobId: string) => boolean;
  /** Gives the ending to every waiter of its job, once to each. */
  readonly report: (ending: JobResult) => void;
  /** Resolves when all jobs have been reported; rejects with the reason of the caller's signal or of `abortAll`. */
  readonly add: (options: WaitOptions) => Promise<void>;
  readonly abortAll: (reason: unknown) => void;
}

interface Entry extends Waiter {
  readonly onEnd: (ending: JobResult) => void;
  readonly finish: () => void;
  readonly over: AbortController;
}

export function createWaitList(): WaitList {
  const entries = new Set<Entry>();

  async function add({ jobIds, onEnd, signal, onAdded }: WaitOptions): Promise<void> {
    const over = new AbortController();
    const abort = (): void => over.abort(signal.reason);
    signal.addEventListener('abort', abort);
    let entry: Entry | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- an abort reason is passed on as it is
        over.signal.addEventListener('abort', () => reject(over.signal.reason));
        entry = { pending: new Set(jobIds), onEnd, finish: resolve, over, signal: over.signal };
        entries.add(entry);
        onAdded(entry);
      });
    } finally {
      signal.removeEventListener('abort', abort);
      if (entry !== undefined) entries.delete(entry);
    }
  }

  return {
    add,
    isAwaited: (jobId) => [...entries].some(({ pending }) => pending.has(jobId)),
    report: (ending) => {
      for (const { pending, onEnd, finish } of entries) {
        if (!pending.delete(ending.jobId)) continue;
        onEnd(ending);
        if (pending.size === 0) finish();
      }
    },
    abortAll: (reason) => {
      for (const { over } of entries) over.abort(reason);
    },
  };
}
