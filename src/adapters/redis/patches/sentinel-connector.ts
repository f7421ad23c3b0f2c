/**
 * Replaces two methods of the `SentinelConnector` of ioredis: `connectToSentinel`, which is private, and `connect`, which ends the
 * private `failoverDetector` of the last connection now. Checked on ioredis 6.0.0. Remove this patch when the clients with which
 * ioredis listens for a failover have a listener for `error`, and a failover that is announced while it connects does not end it.
 */
import type * as Ioredis from 'ioredis';
import type { Redis, RedisOptions, SentinelConnector } from 'ioredis';
import { LibraryChangedError } from '../../../domain/errors.js';

type ConnectToSentinel = (endpoint: unknown, options?: unknown) => Redis;

interface Internals {
  readonly connectToSentinel?: ConnectToSentinel;
  readonly failoverDetector?: { readonly cleanup: () => void } | null;
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- these members are private, so the public type lacks them
const internalsOf = (connector: SentinelConnector): Internals => connector as unknown as Internals;

/**
 * The library's connector for sentinels without two of its faults. It prints a stack trace to stderr for each client and each
 * sentinel that is down. And the listener of the last connection hears of the failover while the client connects again, takes
 * that for a reason to close the connection, and ends the client for ever.
 */
export function patchedSentinelConnector({ SentinelConnector: Connector }: Pick<typeof Ioredis, 'SentinelConnector'>) {
  /** ioredis makes an instance for each client, with `new`. */
  function PatchedSentinelConnector(options: ConstructorParameters<typeof SentinelConnector>[0]) {
    const connector = new Connector(options);
    const { connectToSentinel, failoverDetector } = internalsOf(connector);
    if (connectToSentinel === undefined || failoverDetector === undefined) {
      throw new LibraryChangedError('ioredis', 'SentinelConnector.connectToSentinel or failoverDetector');
    }
    const connect = connector.connect.bind(connector);
    const connectQuietly: ConnectToSentinel = (...args) =>
      connectToSentinel.apply(connector, args).on('error', () => undefined);
    const connectUndisturbed: typeof connect = (emitError) => {
      internalsOf(connector).failoverDetector?.cleanup();
      return connect(emitError);
    };
    return Object.assign(connector, { connectToSentinel: connectQuietly, connect: connectUndisturbed });
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a function that returns an object can be called with new
  return PatchedSentinelConnector as unknown as NonNullable<RedisOptions['Connector']>;
}
