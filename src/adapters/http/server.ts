import { randomUUID } from 'node:crypto';
import helmet from '@fastify/helmet';
import { fastify, type FastifyError, type FastifyReply, type FastifyRequest } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { ConfigurationError, messageOf } from '../../domain/errors.js';
import { registerAdmin } from './admin/register.js';
import { CONTENT_POLICY } from './content-policy.js';
import type { App } from './app.js';
import { registerBoard } from './board.js';
import { challengeFor, createGuard } from './auth.js';
import { registerOpenApi } from './openapi.js';
import type { HttpParts, HttpServer, HttpSettings } from './ports.js';
import { Problem, problemBody, problemOf } from './problem.js';
import { cleanupRoutes } from './routes/cleanups.js';
import { deadLetterRoutes } from './routes/dead-letters.js';
import { healthRoutes } from './routes/health.js';
import { retentionRoutes } from './routes/retention.js';
import { runtimeRoutes } from './routes/runtimes.js';
import { validationProblem } from './validation.js';

const BODY_MAX_BYTES = 64 * 1_024;
/** For a whole request to arrive; how long an answer may take is each route's own affair. */
const REQUEST_TIMEOUT_MS = 30_000;
/** A game id of 256 characters of four bytes each, percent-encoded. */
const PARAM_MAX_CHARACTERS = 256 * 12;
/** Running requests may end by themselves for so long once the server closes. */
const CLOSE_LIMIT_MS = 3_000;

const LOOPBACK = /^(?:localhost|::1|127(?:\.\d{1,3}){3})$/;

export function createHttpServer(parts: HttpParts, settings: HttpSettings): HttpServer {
  const { clock } = parts;
  const closing = new AbortController();
  let opened: Promise<App> | undefined;
  let closed: Promise<void> | undefined;

  async function listen(): Promise<number> {
    const { host, port, tokens } = settings;
    if (tokens.length === 0 && !LOOPBACK.test(host)) {
      throw new ConfigurationError(`without RTMANAGER_API_TOKENS the server listens on loopback only, not on ${host}`);
    }
    opened = buildApp(parts, settings, closing.signal);
    const app = await opened;
    try {
      await app.listen({ host, port });
    } catch (error) {
      throw new ConfigurationError(
        `RTMANAGER_INTERNAL_HTTP_ADDR: cannot listen on ${host}:${port}: ${messageOf(error)}`,
        {
          cause: error,
        },
      );
    }
    const address = app.server.address();
    return typeof address === 'object' && address !== null ? address.port : port;
  }

  async function end(): Promise<void> {
    closing.abort(new Problem('service_unavailable', 'the server is about to stop'));
    const app = await opened;
    if (app === undefined) return;
    const cancel = clock.after(CLOSE_LIMIT_MS, () => app.server.closeAllConnections());
    await app.close();
    cancel();
  }

  return { listen, close: () => (closed ??= end()) };
}

/** The server without a port, for `listen` and for tests. */
export async function buildApp(parts: HttpParts, settings: HttpSettings, closing: AbortSignal): Promise<App> {
  const { observer } = parts;
  const app: App = fastify({
    bodyLimit: BODY_MAX_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    routerOptions: { maxParamLength: PARAM_MAX_CHARACTERS },
    genReqId: ({ headers }) => requestIdOf(headers['x-request-id']),
    frameworkErrors: (error, request, reply) => void answerError(error, request, reply),
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  // Nothing here takes plain text.
  app.removeContentTypeParser('text/plain');

  function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const known = validationProblem(error, request) ?? problemOf(error);
    if (known === undefined) observer.failed(routeFacts(request), error);
    const problem = known ?? new Problem('internal_error', `a bug; look for request ${request.id} in the log`);
    if (problem.code === 'unauthorized') void reply.header('www-authenticate', challengeFor(pathOf(request)));
    if (problem.code === 'service_unavailable') void reply.header('retry-after', '1');
    void reply.header('x-request-id', request.id);
    // Sent as text: this answer stands whatever the route's own schema says.
    return reply
      .status(problem.status)
      .type('application/json; charset=utf-8')
      .serializer((text: string) => text)
      .send(JSON.stringify(problemBody(problem)));
  }

  const guard = createGuard(settings.tokens);
  app.addHook('onRequest', async (request, reply) => {
    void reply.header('x-request-id', request.id);
    if (!pathOf(request).startsWith('/admin')) void reply.header('cache-control', 'no-store');
    try {
      guard({ method: request.method, path: pathOf(request), headers: request.headers });
    } catch (refusal) {
      // Answered here: the dashboard has an error handler of its own.
      await answerError(refusal, request, reply);
    }
  });
  app.addHook('onResponse', async (request, reply) => {
    observer.answered({ ...routeFacts(request), status: reply.statusCode, elapsedMs: reply.elapsedTime });
  });
  app.setErrorHandler((error: FastifyError, request, reply) => answerError(error, request, reply));
  app.setNotFoundHandler((request, reply) =>
    answerError(new Problem('not_found', `there is nothing at ${request.method} ${pathOf(request)}`), request, reply),
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

/** The caller's own id, where it is one that can stand in logs and headers. */
function requestIdOf(header: string | readonly string[] | undefined): string {
  const given = typeof header === 'string' ? header.trim() : '';
  return given === '' ? randomUUID() : given;
}

const pathOf = ({ url }: Pick<FastifyRequest, 'url'>): string => url.split('?', 1)[0] ?? '';

const routeFacts = (request: FastifyRequest) => ({
  requestId: request.id,
  method: request.method,
  route: request.routeOptions.url ?? 'none',
});
