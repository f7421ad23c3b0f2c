import type { FastifyReply, FastifyRequest } from 'fastify';
import { pathOf } from '../app.js';
import type { HttpObserver } from '../http-ports.js';
import { challengeFor } from '../request/auth.js';
import { requestIdHeader } from '../request/headers.js';
import { validationProblem } from '../request/validation.js';
import { refused, problemBody, problemOf } from './problem.js';

export type AnswerError = (error: unknown, request: FastifyRequest, reply: FastifyReply) => FastifyReply;

/** Answers an error with its error body, and reports a bug to the observer. */
export function createAnswerError(observer: HttpObserver): AnswerError {
  return (error, request, reply) => {
    const known = validationProblem(error, request) ?? problemOf(error);
    if (known === undefined) observer.failed(routeFacts(request), error);
    const problem = known ?? refused('internal_error', `internal error; the log names request ${request.id}`);
    if (problem.statusCode === 401) void reply.header('www-authenticate', challengeFor(pathOf(request)));
    if (problem.statusCode === 503) void reply.header('retry-after', '1');
    void reply.headers({
      'x-request-id': requestIdHeader(request.id, request.headers),
      // No hook has set these on a request that was refused before routing.
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    });
    // Sent as bytes, so that Fastify does not apply the schema of the route's own answer.
    return reply
      .status(problem.statusCode)
      .type('application/json; charset=utf-8')
      .send(Buffer.from(JSON.stringify(problemBody(problem))));
  };
}

/** The route's pattern stands for its path, because it has a bounded number of values. */
export const routeFacts = (request: FastifyRequest) => ({
  requestId: request.id,
  method: request.method,
  route: request.routeOptions.url ?? 'none',
});
