/** Why a command had no answer. The lease store and the queue's store use it, because adapters must not import each other. */
import { messageOf } from '../domain/errors.js';
import { tlsFailure } from './tls-failure.js';

/** The text of a connection's error: for TLS what is wrong and what to do, for any other error its own words. */
export function connectionTrouble(error: unknown): string {
  const failure = tlsFailure(error);
  if (failure === undefined) return messageOf(error);
  return `${failure.reason}; ${failure.cure('REDIS_TLS_CA_FILE', 'REDIS_TLS_CERT_FILE and REDIS_TLS_KEY_FILE')}`;
}

type Listener = (error: Error) => void;

/** An ioredis client; that of a cluster reports the errors of its nodes as `node error`. */
interface WatchedClient {
  readonly on: (event: 'error' | 'node error' | 'ready', listener: Listener) => unknown;
  readonly off: (event: 'error' | 'node error', listener: Listener) => unknown;
}

/** Calls the listener for each error of a connection, also of one to a cluster's node; returns what ends that. */
export function onTrouble(redis: WatchedClient, listener: Listener): () => void {
  // "Failed to refresh slots cache." says less than the last node's own error.
  const ofClient = (error: Error & { lastNodeError?: unknown }): void =>
    listener(error.lastNodeError instanceof Error ? error.lastNodeError : error);
  redis.on('error', ofClient);
  redis.on('node error', listener);
  return () => {
    redis.off('error', ofClient);
    redis.off('node error', listener);
  };
}

/** How ioredis refuses a command before it is sent. */
const WITHOUT_CONNECTION = "Stream isn't writeable";

/**
 * Says why a command of this client failed. One that is refused for want of a connection says only that; the reason was an
 * earlier `error` event of the client.
 */
export function explainFailures(redis: WatchedClient): (failure: unknown) => string {
  let trouble: Error | undefined;
  onTrouble(redis, (error) => {
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
