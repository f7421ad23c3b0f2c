/**
 * Replaces a private method of the `SentinelConnector` of ioredis: `connectToSentinel`. Checked on ioredis 6.0.0. Remove this
 * patch when the clients with which ioredis listens for a failover have a listener for `error`.
 */
import type * as Ioredis from 'ioredis';
import type { Redis, RedisOptions } from 'ioredis';
import { LibraryChangedError } from '../../../domain/errors.js';

type ConnectToSentinel = (endpoint: unknown, options?: unknown) => Redis;

/**
 * The library's connector for sentinels, which prints nothing. The original prints a stack trace to stderr for each client
 * and each attempt to reach a sentinel that is down, also while the others suffice.
 */
export function quietSentinels({ SentinelConnector }: Pick<typeof Ioredis, 'SentinelConnector'>) {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the method is private, so the public type lacks it
  const { connectToSentinel } = SentinelConnector.prototype as unknown as {
    readonly connectToSentinel?: ConnectToSentinel;
  };
  if (connectToSentinel === undefined) throw new LibraryChangedError('ioredis', 'SentinelConnector.connectToSentinel');
  const connect = connectToSentinel;
  /** ioredis makes an instance for each client, with `new`. */
  function QuietSentinelConnector(options: ConstructorParameters<typeof SentinelConnector>[0]) {
    const connector = new SentinelConnector(options);
    const connectQuietly: ConnectToSentinel = (...args) => connect.apply(connector, args).on('error', () => undefined);
    return Object.assign(connector, { connectToSentinel: connectQuietly });
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a function that returns an object can be called with new
  return QuietSentinelConnector as unknown as NonNullable<RedisOptions['Connector']>;
}
