import type { FastifyReply, FastifyRequest } from 'fastify';
import { challengeFor } from '../request/auth.js';
import type { HttpObserver } from '../http-ports.js';
import { refused, problemBody, problemOf } from './problem.js';
import { requestIdHeader } from '../request/request-id.js';
import { validationProblem } from '../request/validation.js';

export type AnswerError = (error: unknown, request: FastifyRequest, reply: FastifyReply) => FastifyReply;

/** Answers whatever was thrown, with what the caller may know of it. */
export function createAnswerError(observer: HttpObserver): AnswerError {
  return (error, request, reply) => {
    const known = validationProblem(error, request) ?? problemOf(error);
    if (known === undefined) observer.failed(routeFacts(request), error);
    const problem = known ?? refused('internal_error', `a bug; look for request ${request.id} in the log`);
    if (problem.statusCode === 401) void reply.header('www-authenticate', challengeFor(pathOf(request)));
    if (problem.statusCode === 503) void reply.header('retry-after', '1');
    void reply.headers({
      'x-request-id': requestIdHeader(request.id, request.headers),
      // What is refused before there is a route has met no hook.
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    });
    // Sent as bytes: this answer stands whatever the route's own schema says.
    return reply
      .status(problem.statusCode)
      .type('application/json; charset=utf-8')
      .send(Buffer.from(JSON.stringify(problemBody(problem))));
  };
}

export const pathOf = ({ url }: Pick<FastifyRequest, 'url'>): string => url.split('?', 1)[0] ?? '';

export const routeFacts = (request: FastifyRequest) => ({
  requestId: request.id,
  method: request.method,
  route: request.routeOptions.url ?? 'none',
});
