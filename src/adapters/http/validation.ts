import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { Problem } from './problem.js';

const WHERE: Readonly<Record<string, string>> = {
  querystring: 'query parameter',
  params: 'path',
  headers: 'header',
  body: 'body',
};

/** What a request's schema refused, in one sentence; undefined when the error is another one. */
export function validationProblem(error: unknown): Problem | undefined {
  if (!hasZodFastifySchemaValidationErrors(error)) return undefined;
  const context = 'validationContext' in error ? String(error.validationContext) : '';
  const where = WHERE[context] ?? context;
  const problems = error.validation.map(({ instancePath, message = 'is not allowed' }) => {
    const path = instancePath.split('/').filter(Boolean).join('.');
    return path === '' ? `${where}: ${message}` : `${where} ${path}: ${message}`;
  });
  return new Problem('invalid_request', problems.join('; ').slice(0, 1_000));
}
