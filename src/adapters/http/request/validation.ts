/** What a request may contain: JSON bodies only, none on routes that ignore it, and values that fit the route's schema. */
import type { FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import type { RequestRefusedError } from '../../../domain/errors.js';
import { API, type App } from '../app.js';
import { refused } from '../response/problem.js';

/** Accepts JSON bodies only. An empty body counts as no body, with any content type. */
export function readBodies(app: App): void {
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined);
    else void parseJson(request, body.toString(), done);
  });
  app.addHook('preValidation', async (request) => refuseIgnoredBody(request));
}

/** Rejects a body on routes that ignore it, so that a misplaced option is not silently dropped. */
function refuseIgnoredBody({ body, method, routeOptions: { url = '', schema } }: FastifyRequest): void {
  if (!url.startsWith(API) || schema?.body !== undefined || body === undefined) return;
  if (typeof body === 'object' && body !== null && !Array.isArray(body) && Object.keys(body).length === 0) return;
  throw refused('invalid_request', `${method} ${url} takes no body and would ignore this one; send none`);
}

/** The names of a request's parts: Fastify's, and the one that a message uses. */
const PARTS = { querystring: 'query parameter', params: 'path', headers: 'header', body: 'body' } as const;
const SHOWN_CHARACTERS = 120;

/** The parts of a request that a schema checks. */
export type CheckedRequest = Readonly<Record<'query' | 'params' | 'headers' | 'body', unknown>>;

/** What the route's schema refused, with the value that it found; undefined for any other error. */
export function validationProblem(error: unknown, request: CheckedRequest): RequestRefusedError | undefined {
  if (!hasZodFastifySchemaValidationErrors(error)) return undefined;
  const { validationContext: part = 'querystring' } = error;
  const input = part === 'querystring' ? request.query : request[part];
  const problems = error.validation.map(({ instancePath, message = 'is not allowed' }) => {
    const path = instancePath.split('/').filter(Boolean);
    return `${[PARTS[part], path.join('.')].join(' ').trim()}: ${message}${foundAt(input, path)}`;
  });
  return refused('invalid_request', problems.join('; ').slice(0, 1_000));
}

/** Empty for a missing value, which the message names, and for an object or list, which the caller knows. */
function foundAt(input: unknown, path: readonly string[]): string {
  const found = path.reduce<unknown>(
    (value, name) => (typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined),
    input,
  );
  if (found === undefined || typeof found === 'object') return '';
  const text = JSON.stringify(found);
  return ` (found ${text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text})`.toWellFormed();
}
