/** What the queue adapter tells the log; members must not throw. An outage is told once, however many calls fail. */
export interface QueueReport {
  /** The queue's store stopped answering. */
  readonly unavailable: (cause: unknown) => void;
  /** It answers again, after `outageMs`. */
  readonly recovered: (outageMs: number) => void;
  /** Something else went wrong; nothing is lost, the queue goes on. */
  readonly fault: (what: string, cause: unknown) => void;
  /** A job's lock ran out or was taken; its work was told to stop. */
  readonly lockLost: (jobId: string) => void;
  /** A job that could not have gone on was put right; `how` says what was done. */
  readonly healed: (jobId: string, how: string) => void;
}
