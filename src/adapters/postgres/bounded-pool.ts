import { DatabaseError, Pool, type PoolClient, type PoolConfig } from 'pg';
import { systemClock, pause } from '../../async/clock.js';
import { createConcurrencyLimit } from '../../async/concurrency-limit.js';
import { messageOf } from '../../domain/errors.js';
import { isServerFull, serverFullText, TOO_MANY_CONNECTIONS } from '../server-full.js';

/** How long a caller waits for a connection while the server refuses to give one. */
const REFUSED_WAIT_MS = 15_000;
const RETRY_MS = 250;
/** After so long without a refusal the pool may open as many connections as it is allowed. */
const CROWDED_MS = 5_000;

type Callback = Parameters<Pool['connect']>[0];
const nothing = (): void => undefined;

/**
 * A pool that is slower, not broken, when the server gives it fewer connections than it may open: it goes on with those
 * that it has. A caller waits for one of them; it gets the refusal, with its cure, only after `REFUSED_WAIT_MS`.
 * States: free (opens connections up to its limit), crowded (a refusal was less than `CROWDED_MS` ago: opens none beside
 * those it has, and callers take turns to ask for one).
 */
export class BoundedPool extends Pool {
  readonly #most: number;
  readonly #listeners: (() => void)[] = [];
  readonly #turns = createConcurrencyLimit(1);
  #refusedMs = Number.NEGATIVE_INFINITY;

  constructor(config: PoolConfig & { readonly max: number }) {
    super(config);
    this.#most = config.max;
  }

  // pg's types have a return value for each form; its own `query` uses the form with a callback.
  override connect(): Promise<PoolClient>;
  override connect(callback: NonNullable<Callback>): void;
  override connect(callback?: Callback): Promise<PoolClient> | void {
    if (callback === undefined) return this.#lend();
    this.#lend().then(
      (client) => callback(undefined, client, (failed) => client.release(failed)),
      (error: Error) => callback(error, undefined, nothing),
    );
  }

  /** At each refusal, so that another pool of the process can close what it does not use. */
  onFull(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Closes the connections that are not in use. */
  readonly dropIdle = (): void => {
    for (let idle = this.idleCount; idle > 0; idle--) super.connect().then((client) => client.release(true), nothing);
  };

  async #lend(): Promise<PoolClient> {
    const sinceMs = systemClock.monotonicMs();
    if (!this.#isCrowded(sinceMs)) {
      this.options.max = this.#most;
      try {
        return await super.connect();
      } catch (error) {
        this.#noteRefusal(error);
      }
    }
    return this.#turns(() => this.#retry(sinceMs));
  }

  /** Throws every error that is not such a refusal, and the refusal itself once its caller has waited long enough. */
  async #retry(sinceMs: number): Promise<PoolClient> {
    for (;;) {
      try {
        return await super.connect();
      } catch (error) {
        this.#noteRefusal(error);
        if (this.ending || systemClock.monotonicMs() - sinceMs >= REFUSED_WAIT_MS) throw refusalOf(error);
      }
      await pause(systemClock, RETRY_MS);
    }
  }

  #isCrowded(nowMs: number): boolean {
    return nowMs - this.#refusedMs < CROWDED_MS;
  }

  #noteRefusal(error: unknown): void {
    if (!isServerFull(error)) throw error;
    this.#refusedMs = systemClock.monotonicMs();
    this.options.max = Math.max(1, this.totalCount);
    for (const listener of this.#listeners) listener();
  }
}

/** With the code of PostgreSQL: all adapters know it, and poolers use other ones. */
function refusalOf(error: unknown): DatabaseError {
  const text = serverFullText(messageOf(error));
  const refusal = new DatabaseError(text, text.length, 'error');
  refusal.code = TOO_MANY_CONNECTIONS;
  refusal.cause = error;
  return refusal;
}
