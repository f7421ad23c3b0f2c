/** Why a command had no answer. The lease store and the queue's store use it, because adapters must not import each other. */
import { messageOf } from '../domain/errors.js';
import { tlsFailure } from './tls-failure.js';

/** The text of a connection's error: for TLS what is wrong and what to do, for any other error its own words. */
export function connectionTrouble(error: unknown): string {
  const failure = tlsFailure(error);
  if (failure === undefined) return messageOf(error);
  return `${failure.reason}; ${failure.cure('REDIS_TLS_CA_FILE', 'REDIS_TLS_CERT_FILE and REDIS_TLS_KEY_FILE')}`;
}

interface WatchedClient {
  readonly on: (event: 'error' | 'ready', listener: (error: Error) => void) => unknown;
}

/** How ioredis refuses a command before it is sent. */
const WITHOUT_CONNECTION = "Stream isn't writeable";

/**
 * Says why a command of this client failed. One that is refused for want of a connection says only that; the reason was an
 * earlier `error` event of the client.
 */
export function explainFailures(redis: WatchedClient): (failure: unknown) => string {
  let trouble: Error | undefined;
  redis.on('error', (error) => {
    trouble = error;
  });
  redis.on('ready', () => {
    trouble = undefined;
  });
  return (failure) => {
    const message = messageOf(failure);
    if (!message.startsWith(WITHOUT_CONNECTION)) return message;
    return trouble === undefined ? 'no connection' : `no connection: ${connectionTrouble(trouble)}`;
  };
}
