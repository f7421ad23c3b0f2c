export interface Service {
  readonly pid: number;
  readonly logFile: string;
  /** Resolves when the process is gone, for whatever reason. */
  readonly ended: Promise<void>;
  readonly isRunning: () => boolean;
  readonly signal: (signal: NodeJS.Signals) => boolean;
  /** Asks with the stop signal, waits, then kills. Safe to call twice. */
  readonly stop: () => Promise<void>;
}

export interface ServiceOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** What it works in and logs to; removed if this process dies without stopping the service. */
  readonly folder: string;
  readonly isReady: () => Promise<boolean>;
  readonly readyWithinMs?: number;
  readonly stopSignal?: NodeJS.Signals;
  readonly stopWithinMs?: number;
  /** Whom to run as; needs root. */
  readonly identity?: { readonly uid?: number; readonly gid?: number };
  readonly environment?: NodeJS.ProcessEnv;
}

export declare const startService: (options: ServiceOptions) => Promise<Service>;
