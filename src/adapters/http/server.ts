import { ConfigurationError, messageOf } from '../../domain/errors.js';
import type { App } from './app.js';
import { buildApp, type HttpParts } from './build-app.js';
import type { HttpServer, HttpSettings } from './http-ports.js';
import { createConnections } from './request/connections.js';
import { refused } from './response/problem.js';

/** How long running requests may continue after `close`. */
const CLOSE_LIMIT_MS = 3_000;

export function createHttpServer(parts: HttpParts, settings: HttpSettings): HttpServer {
  const closing = new AbortController();
  const connections = createConnections();
  let opened: Promise<App> | undefined;
  let closed: Promise<void> | undefined;

  async function listen(): Promise<number> {
    const { host, port, tokens, isLoopback } = settings;
    closing.signal.throwIfAborted();
    if (tokens.length === 0 && !isLoopback({ host })) {
      throw new ConfigurationError(`without RTMANAGER_API_TOKENS the server listens on loopback only, not on ${host}`);
    }
    opened = buildApp(parts, settings, { closing: closing.signal, connections });
    const app = await opened;
    try {
      await app.listen({ host, port });
    } catch (cause) {
      const message = `RTMANAGER_INTERNAL_HTTP_ADDR: cannot listen on ${host}:${port}: ${messageOf(cause)}`;
      throw new ConfigurationError(message, { cause });
    }
    const address = app.server.address();
    return typeof address === 'object' && address !== null ? address.port : port;
  }

  async function end(): Promise<void> {
    closing.abort(refused('service_unavailable', 'the server is about to stop'));
    const app = await opened?.catch(() => undefined);
    if (app === undefined) return;
    const cancel = parts.clock.after(CLOSE_LIMIT_MS, () => {
      connections.destroyAll();
      app.server.closeAllConnections();
    });
    await app.close();
    cancel();
  }

  return { listen, close: () => (closed ??= end()) };
}
