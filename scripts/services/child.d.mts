export interface Service {
  readonly pid: number;
  readonly logFile: string;
  /** Resolves when the process has ended, for any reason. */
  readonly ended: Promise<void>;
  readonly isRunning: () => boolean;
  readonly signal: (signal: NodeJS.Signals) => boolean;
  /** Sends the stop signal, waits, then kills the process. Safe to call twice. */
  readonly stop: () => Promise<void>;
}

export interface ServiceOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The folder for its files and its log; removed if this process dies before it has stopped the service. */
  readonly folder: string;
  readonly isReady: () => Promise<boolean>;
  readonly readyWithinMs?: number;
  readonly stopSignal?: NodeJS.Signals;
  readonly stopWithinMs?: number;
  /** The user to run as; needs root. */
  readonly identity?: { readonly uid?: number; readonly gid?: number };
  readonly environment?: NodeJS.ProcessEnv;
}

export declare const startService: (options: ServiceOptions) => Promise<Service>;
