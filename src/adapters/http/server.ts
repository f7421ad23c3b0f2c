import { isAscii } from 'node:buffer';
import helmet from '@fastify/helmet';
import { fastify, type FastifyError } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { ConfigurationError, messageOf } from '../../domain/errors.js';
import { registerAdmin } from './admin/register.js';
import { CONTENT_POLICY } from './response/content-policy.js';
import type { App } from './app.js';
import { registerBoard } from './admin/queues-dashboard.js';
import { readBodies } from './request/json-body.js';
import { createGuard } from './request/auth.js';
import { answerClientError, CONNECTION_LIMITS, type Connections, createConnections } from './request/connections.js';
import { createAnswerError, pathOf, routeFacts } from './response/error-handler.js';
import { registerOpenApi } from './openapi.js';
import type { HttpParts, HttpServer, HttpSettings } from './http-ports.js';
import { refused } from './response/problem.js';
import { requestIdHeader, requestIdOf, requestIdProblem } from './request/request-id.js';
import { cleanupRoutes } from './routes/cleanups.js';
import { deadLetterRoutes } from './routes/dead-letters.js';
import { healthRoutes } from './routes/health.js';
import { retentionRoutes } from './routes/retention.js';
import { runtimeRoutes } from './routes/runtimes.js';

const BODY_MAX_BYTES = 64 * 1_024;
/** A game id of 256 characters of four bytes each, percent-encoded. */
const PARAM_MAX_CHARACTERS = 256 * 12;
/** Running requests may end by themselves for so long once the server closes. */
const CLOSE_LIMIT_MS = 3_000;

const LOOPBACK = /^(?:localhost|::1|127(?:\.\d{1,3}){3})$/;

export function createHttpServer(parts: HttpParts, settings: HttpSettings): HttpServer {
  const { clock } = parts;
  const closing = new AbortController();
  const connections = createConnections();
  let opened: Promise<App> | undefined;
  let closed: Promise<void> | undefined;

  async function listen(): Promise<number> {
    const { host, port, tokens } = settings;
    closing.signal.throwIfAborted();
    if (tokens.length === 0 && !LOOPBACK.test(host)) {
      throw new ConfigurationError(`without RTMANAGER_API_TOKENS the server listens on loopback only, not on ${host}`);
    }
    opened = buildApp(parts, settings, closing.signal, connections);
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
    const cancel = clock.after(CLOSE_LIMIT_MS, () => {
      connections.destroyAll();
      app.server.closeAllConnections();
    });
    await app.close();
    cancel();
  }

  return { listen, close: () => (closed ??= end()) };
}

/** The server without a port, for `listen` and for tests. */
export async function buildApp(
  parts: HttpParts,
  settings: HttpSettings,
  closing: AbortSignal,
  connections: Connections = createConnections(),
): Promise<App> {
  const { observer } = parts;
  const answerError = createAnswerError(observer);
  const app: App = fastify({
    ...CONNECTION_LIMITS,
    clientErrorHandler: answerClientError,
    bodyLimit: BODY_MAX_BYTES,
    // Its own answer would be none of ours.
    return503OnClosing: false,
    routerOptions: { maxParamLength: PARAM_MAX_CHARACTERS },
    genReqId: ({ headers }) => requestIdOf(headers),
    frameworkErrors: (error, request, reply) => void answerError(error, request, reply),
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  readBodies(app);

  const guard = createGuard(settings.tokens);
  app.addHook('onRequest', async (request, reply) => {
    connections.note(request.raw.socket);
    void reply.header('x-request-id', requestIdHeader(request.id, request.headers));
    if (!pathOf(request).startsWith('/admin')) void reply.header('cache-control', 'no-store');
    try {
      if (closing.aborted) throw refused('service_unavailable', 'the server is about to stop');
      guard({ method: request.method, path: pathOf(request), headers: request.headers });
      const problem = requestIdProblem(request.headers);
      if (problem !== undefined) throw refused('invalid_request', problem);
    } catch (refusal) {
      // Answered here: the dashboard has an error handler of its own.
      await answerError(refusal, request, reply);
    }
  });
  // Node writes a head as UTF-8 when text follows it, and byte for byte when bytes do; an id goes back as it came.
  app.addHook('onSend', async ({ id }, _reply, payload) =>
    typeof payload === 'string' && !isAscii(Buffer.from(id)) ? Buffer.from(payload) : payload,
  );
  app.addHook('onResponse', async (request, reply) => {
    observer.answered({ ...routeFacts(request), status: reply.statusCode, elapsedMs: reply.elapsedTime });
  });
  app.setErrorHandler((error: FastifyError, request, reply) => answerError(error, request, reply));
  app.setNotFoundHandler((request, reply) =>
    answerError(refused('not_found', `there is nothing at ${request.method} ${pathOf(request)}`), request, reply),
  );

  await app.register(helmet, { contentSecurityPolicy: CONTENT_POLICY, strictTransportSecurity: false });
  await registerOpenApi(app, settings.version);
  healthRoutes(app, parts);
  cleanupRoutes(app, parts, closing);
  runtimeRoutes(app, parts);
  deadLetterRoutes(app, parts, closing);
  retentionRoutes(app, parts);
  registerAdmin(app, parts);
  await registerBoard(app, parts.board);
  await app.ready();
  return app;
}
