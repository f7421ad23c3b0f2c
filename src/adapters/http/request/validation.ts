import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { refused } from '../response/problem.js';
import type { RequestRefusedError } from '../../../domain/errors.js';

const WHERE: Readonly<Record<string, string>> = {
  querystring: 'query parameter',
  params: 'path',
  headers: 'header',
  body: 'body',
};

/** The parts of a request that a schema checks. */
export interface CheckedRequest {
  readonly query: unknown;
  readonly params: unknown;
  readonly headers: unknown;
  readonly body: unknown;
}

const SHOWN_CHARACTERS = 120;

/** What a request's schema refused, with what was found there; undefined when the error is another one. */
export function validationProblem(error: unknown, request: CheckedRequest): RequestRefusedError | undefined {
  if (!hasZodFastifySchemaValidationErrors(error)) return undefined;
  const context = error.validationContext ?? '';
  const where = WHERE[context] ?? context;
  const input = { querystring: request.query, params: request.params, headers: request.headers, body: request.body };
  const problems = error.validation.map(({ instancePath, message = 'is not allowed' }) => {
    const path = instancePath.split('/').filter(Boolean);
    const found = shownAt(Object.entries(input).find(([name]) => name === context)?.[1], path);
    return `${[where, path.join('.')].join(' ').trim()}: ${message}${found}`;
  });
  return refused('invalid_request', problems.join('; ').slice(0, 1_000));
}

function shownAt(input: unknown, path: readonly string[]): string {
  const found = path.reduce<unknown>(
    (value, name) => (typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined),
    input,
  );
  // What is missing is said by the message; a whole body is known to who sent it.
  if (found === undefined || typeof found === 'object') return '';
  const text = JSON.stringify(found);
  return ` (found ${text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text})`.toWellFormed();
}
