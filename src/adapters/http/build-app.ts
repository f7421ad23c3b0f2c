/** The server without a port: the Fastify instance with its hooks, error handling and routes. */
import { isAscii } from 'node:buffer';
import helmet from '@fastify/helmet';
import { fastify, type FastifyError, type FastifyServerOptions } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import type { DashboardPorts } from './admin/load-dashboard.js';
import { type BoardPlugin, registerBoard, registerOverview } from './admin/register.js';
import { type App, isForBrowsers, pathOf } from './app.js';
import type { HttpObserver, HttpSettings } from './http-ports.js';
import { registerOpenApi } from './openapi.js';
import { createGuard } from './request/auth.js';
import { answerClientError, CONNECTION_LIMITS, type Connections } from './request/connections.js';
import { requestIdHeader, requestIdOf, requestIdProblem } from './request/headers.js';
import { readBodies } from './request/validation.js';
import { CONTENT_POLICY } from './response/content-policy.js';
import { type AnswerError, createAnswerError, routeFacts } from './response/error-handler.js';
import { refused } from './response/problem.js';
import { type CleanupPorts, cleanupRoutes } from './routes/cleanups.js';
import { type DeadLetterChangePorts, deadLetterChangeRoutes } from './routes/dead-letters/change-routes.js';
import { type DeadLetterReadPorts, deadLetterReadRoutes } from './routes/dead-letters/read-routes.js';
import { type ReplayAllPorts, replayAllRoute } from './routes/dead-letters/replay-all-route.js';
import { type EnginePorts, engineRoutes } from './routes/engines.js';
import { type HealthPorts, healthRoutes } from './routes/health.js';
import { type ReopenPorts, reopenRoute } from './routes/reopen.js';
import { type RetentionPorts, retentionRoutes } from './routes/retention.js';
import { type RuntimePorts, runtimeRoutes } from './routes/runtimes.js';

const BODY_MAX_BYTES = 64 * 1_024;
/** A game id of 256 characters of four bytes each, percent-encoded. */
const PARAM_MAX_CHARACTERS = 256 * 12;

interface ServerPorts {
  readonly board: BoardPlugin;
  readonly observer: HttpObserver;
}

/** The ports of all routes together. Members reject with an `UnavailableError` in an outage. */
export type HttpParts = HealthPorts &
  CleanupPorts &
  RuntimePorts &
  ReopenPorts &
  DeadLetterReadPorts &
  DeadLetterChangePorts &
  ReplayAllPorts &
  RetentionPorts &
  EnginePorts &
  DashboardPorts &
  ServerPorts;

/** What closing the server and answering requests have in common. */
export interface ServerState {
  /** Aborted when the server is about to stop. */
  readonly closing: AbortSignal;
  readonly connections: Connections;
}

export async function buildApp(parts: HttpParts, settings: HttpSettings, state: ServerState): Promise<App> {
  const answerError = createAnswerError(parts.observer);
  const app = createApp(answerError);
  readBodies(app);
  guardRequests(app, { answerError, guard: createGuard(settings), ...state });
  observeAnswers(app, parts.observer);
  sendIdsAsBytes(app);
  app.setErrorHandler((error: FastifyError, request, reply) => answerError(error, request, reply));
  app.setNotFoundHandler((request, reply) =>
    answerError(refused('not_found', `there is nothing at ${request.method} ${pathOf(request)}`), request, reply),
  );
  await app.register(helmet, { contentSecurityPolicy: CONTENT_POLICY, strictTransportSecurity: false });
  await registerOpenApi(app, settings.version);
  registerRoutes(app, parts, state.closing);
  await registerBoard(app, parts.board);
  await app.ready();
  return app;
}

/**
 * Given to the constructor and not set later: Fastify would load its own two compilers first, a fifth of the start. Its
 * types ask for a compiler of JSON schemas here, although any that takes the routes' schemas will do.
 */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
const schemaController = {
  compilersFactory: { buildValidator: () => validatorCompiler, buildSerializer: () => serializerCompiler },
} as unknown as NonNullable<FastifyServerOptions['schemaController']>;

function createApp(answerError: AnswerError): App {
  const app: App = fastify({
    ...CONNECTION_LIMITS,
    clientErrorHandler: answerClientError,
    bodyLimit: BODY_MAX_BYTES,
    // Fastify's own answer while closing would not have the form of our error bodies; the guard refuses instead.
    return503OnClosing: false,
    routerOptions: { maxParamLength: PARAM_MAX_CHARACTERS },
    genReqId: ({ headers }) => requestIdOf(headers),
    frameworkErrors: (error, request, reply) => void answerError(error, request, reply),
    schemaController,
  }).withTypeProvider<ZodTypeProvider>();
  return app;
}

interface Guarding extends ServerState {
  readonly answerError: AnswerError;
  readonly guard: ReturnType<typeof createGuard>;
}

/** Before anything else of a request: its id, and whether the server answers it at all. */
function guardRequests(app: App, { answerError, guard, closing, connections }: Guarding): void {
  app.addHook('onRequest', async (request, reply) => {
    const { method, headers } = request;
    const path = pathOf(request);
    connections.note(request.raw.socket);
    void reply.header('x-request-id', requestIdHeader(request.id, headers));
    if (!isForBrowsers(path)) void reply.header('cache-control', 'no-store');
    try {
      if (closing.aborted) throw refused('service_unavailable', 'the server is about to stop');
      guard({ method, path, headers });
      const problem = requestIdProblem(headers);
      if (problem !== undefined) throw refused('invalid_request', problem);
    } catch (refusal) {
      // Answered here and not by the error handler, because the queue dashboard has an error handler of its own.
      await answerError(refusal, request, reply);
    }
  });
}

function observeAnswers(app: App, observer: HttpObserver): void {
  app.addHook('onResponse', async (request, reply) => {
    observer.answered({ ...routeFacts(request), status: reply.statusCode, elapsedMs: reply.elapsedTime });
  });
}

/**
 * A request id must go back byte for byte. Node writes the head of an answer as UTF-8 when a text body follows, and as
 * bytes when a body of bytes follows, so answers with an id beyond ASCII get a body of bytes.
 */
function sendIdsAsBytes(app: App): void {
  app.addHook('onSend', async ({ id }, _reply, payload) =>
    typeof payload === 'string' && !isAscii(Buffer.from(id)) ? Buffer.from(payload) : payload,
  );
}

function registerRoutes(app: App, parts: HttpParts, closing: AbortSignal): void {
  healthRoutes(app, parts);
  cleanupRoutes(app, parts, closing);
  runtimeRoutes(app, parts);
  reopenRoute(app, parts, closing);
  deadLetterReadRoutes(app, parts, closing);
  deadLetterChangeRoutes(app, parts);
  replayAllRoute(app, parts, closing);
  retentionRoutes(app, parts);
  engineRoutes(app, parts);
  registerOverview(app, parts);
}
