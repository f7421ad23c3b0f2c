import { DatabaseError, Pool, type PoolClient } from 'pg';
import { systemClock, pause } from '../../async/clock.js';
import { createConcurrencyLimit } from '../../async/concurrency-limit.js';
import { isServerFull, serverFullText, TOO_MANY_CONNECTIONS } from './server-full.js';

/** How long a caller waits while the server refuses: less than `verify` waits for an answer, so that it names the cause. */
const REFUSED_WAIT_MS = 8_000;
const RETRY_MS = 250;
/** After so long without a refusal the pool may open as many connections as it is allowed. */
const CROWDED_MS = 5_000;

type Callback = Parameters<Pool['connect']>[0];
const nothing = (): void => undefined;

/**
 * A pool that is slower, not broken, when the server gives it fewer connections than it may open: it goes on with those
 * that it has, and asks for another one from time to time. A caller gets the refusal, with its cure, after
 * `REFUSED_WAIT_MS`. States: free (opens connections up to its limit); crowded, for `CROWDED_MS` after each refusal
 * (callers get a connection in turn: one that was given back, else a new one).
 */
export class BoundedPool extends Pool {
  readonly #listeners: (() => void)[] = [];
  readonly #turns = createConcurrencyLimit(1);
  #refusedMs = Number.NEGATIVE_INFINITY;

  // pg's types have a return value for each form; its own `query` uses the form with a callback.
  override connect(): Promise<PoolClient>;
  override connect(callback: NonNullable<Callback>): void;
  override connect(callback?: Callback): Promise<PoolClient> | void {
    if (callback === undefined) return this.#lend();
    /* oxlint-disable promise/no-callback-in-promise -- this form of pg's own interface has one */
    this.#lend().then(
      (client) => callback(undefined, client, (failed?: Error | boolean) => client.release(failed)),
      (error: Error) => callback(error, undefined, nothing),
    );
    /* oxlint-enable promise/no-callback-in-promise */
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
    if (sinceMs - this.#refusedMs >= CROWDED_MS) {
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
      const nowMs = systemClock.monotonicMs();
      if (this.idleCount > 0 || nowMs - this.#refusedMs >= RETRY_MS) {
        try {
          return await super.connect();
        } catch (error) {
          this.#noteRefusal(error);
          if (this.ending || nowMs - sinceMs >= REFUSED_WAIT_MS) throw refusalOf(error);
        }
      }
      await this.#given();
    }
  }

  /** Until a connection was given back, or it is time to ask the server again. */
  async #given(): Promise<void> {
    const given = new AbortController();
    const onRelease = (): void => given.abort();
    this.on('release', onRelease);
    await pause(systemClock, RETRY_MS, given.signal);
    this.off('release', onRelease);
  }

  #noteRefusal(error: unknown): void {
    if (!isServerFull(error)) throw error;
    this.#refusedMs = systemClock.monotonicMs();
    for (const listener of this.#listeners) listener();
  }
}

/** With the cure in its text, and with PostgreSQL's code, which every adapter knows: poolers have other ones. */
function refusalOf(error: unknown): unknown {
  if (!(error instanceof DatabaseError)) return error;
  return Object.assign(error, { message: serverFullText(error.message), code: TOO_MANY_CONNECTIONS });
}
