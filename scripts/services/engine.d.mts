import type { RequestOptions } from 'node:http';

export interface PrivateEngine {
  readonly socketPath: string;
  readonly dataRoot: string;
  readonly logFile: string;
  readonly pid: () => number;
  readonly signal: (signal: NodeJS.Signals) => boolean;
  /** Sends SIGKILL; resolves when the process has ended. */
  readonly kill: () => Promise<void>;
  /**
   * Starts it again with the same socket and key, and with the same data unless `change` names another folder or storage
   * driver for this start; stops it first if it still runs.
   */
  readonly restart: (change?: { readonly dataRoot?: string; readonly storageDriver?: string }) => Promise<void>;
  /** Removes running containers, stops the engine, removes its folder. Safe to call twice. */
  readonly stop: () => Promise<void>;
}

export declare const askEngine: (
  where: RequestOptions,
  call: { method?: string; path: string; timeoutMs?: number },
) => Promise<{ status: number; text: string } | null>;
export declare const engineVersion: (where: RequestOptions) => Promise<string | null>;
export declare const startPrivateEngine: () => Promise<PrivateEngine>;
