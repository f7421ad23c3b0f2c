import swagger from '@fastify/swagger';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { API, type App } from './app.js';
import { MALFORMED, UNAUTHORIZED } from './response/problem.js';

const JSON_POINTER = '#/components/schemas/';

const REQUEST_ID = {
  'X-Request-Id': { type: 'string', description: 'The id of the request: the one that the caller sent, or a new one.' },
};
/** The headers of every answer with this status. */
const HEADERS: Readonly<Record<string, object>> = {
  202: { Location: { type: 'string', description: `The path of the cleanup: \`${API}/cleanups/{job_id}\`.` } },
  401: { 'WWW-Authenticate': { type: 'string', description: 'How to authenticate.' } },
  503: {
    'Retry-After': {
      type: 'integer',
      description: 'Seconds to wait before the next try; `/readyz` has no such header.',
    },
  },
};

/** The headers of all answers of one operation. */
const OPERATION_HEADERS: Readonly<Record<string, object>> = {
  cleanUpContainer: {
    'Preference-Applied': {
      type: 'string',
      description: '`wait=SECONDS` as the server applied it; only when the request has `Prefer: wait`.',
    },
  },
};

/** Collects the routes that are registered after it, and serves their schemas as one document. */
export async function registerOpenApi(app: App, version: string): Promise<void> {
  await app.register(swagger, {
    hideUntagged: true,
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'runtime-cleanup',
        version,
        description: [
          'Removes the containers of stopped runtimes: request cleanups, follow them, and replay or purge failed ones.',
          'Unknown fields, unknown query parameters and unexpected bodies are refused with 400.',
          'The dashboards, `/admin` and `/admin/queues`, are not part of this document.',
        ].join(' '),
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: '/', description: 'This server.' }],
      tags: [
        { name: 'cleanups', description: 'Request the removal of a container, and follow it.' },
        { name: 'runtimes', description: 'Runtime records and their operation log.' },
        { name: 'dead letters', description: 'Cleanups that failed permanently and wait for an operator.' },
        { name: 'retention', description: 'Which containers the retention sweep removes, and when.' },
        { name: 'engines', description: 'The container engines, their identities, and what is missing there.' },
        { name: 'service', description: 'Health, readiness, metrics and this document.' },
      ],
      components: {
        securitySchemes: {
          token: {
            type: 'http',
            scheme: 'bearer',
            description: 'One of RTMANAGER_API_TOKENS; not needed when none are set.',
          },
        },
      },
      security: [{ token: [] }],
    },
    transform: (route) => {
      const { schema, url } = jsonSchemaTransform(route);
      return { schema: withHeaders(schema), url };
    },
    transformObject: (document) => published(jsonSchemaTransformObject(document)),
  });
  app.get(
    '/openapi.json',
    {
      schema: {
        operationId: 'getOpenApi',
        tags: ['service'],
        summary: 'This document',
        response: { 200: z.looseObject({}).describe('OpenAPI 3.1.'), ...MALFORMED, ...UNAUTHORIZED },
      },
    },
    async () => ({ ...app.swagger() }),
  );
}

type Schema = ReturnType<typeof jsonSchemaTransform>['schema'];

/** Routes without a schema are left out of the document. */
function withHeaders(schema: Schema | undefined): Schema {
  if (schema === undefined) return { hide: true };
  const { response } = schema;
  if (typeof response !== 'object' || response === null) return schema;
  const operationId: unknown = Reflect.get(schema, 'operationId');
  const own = OPERATION_HEADERS[String(operationId)];
  const described = Object.entries(response).map(([status, answer]: [string, object]) => [
    status,
    { ...answer, headers: { ...REQUEST_ID, ...HEADERS[status], ...own } },
  ]);
  return { ...schema, response: Object.fromEntries(described) };
}

type Document = ReturnType<typeof jsonSchemaTransformObject>;

interface Components {
  readonly components?: { readonly schemas?: Readonly<Record<string, object>> };
  readonly paths?: object;
}

/**
 * The library writes each schema twice, for requests and for answers; this drops those that no route refers to. Schemas
 * of answers allow additional properties, so that a generated client accepts fields that a later version adds.
 */
function published(document: Document): Document {
  const { components, paths }: Components = document;
  const all = { ...components?.schemas };
  const used = new Set<string>();
  const follow = (part: unknown): void => {
    for (const name of refsIn(part)) {
      if (used.has(name)) continue;
      used.add(name);
      follow(all[name]);
    }
  };
  follow(paths);
  const schemas: Record<string, object> = {};
  for (const [name, schema] of Object.entries(all)) {
    if (used.has(name)) schemas[name] = name.endsWith('Input') ? schema : withAdditionalProperties(schema);
  }
  return { ...document, components: { ...components, schemas } };
}

const refsIn = (part: unknown): readonly string[] =>
  [...(JSON.stringify(part) ?? '').matchAll(/"\$ref":"([^"]+)"/g)].map(([, ref = '']) => ref.replace(JSON_POINTER, ''));

function withAdditionalProperties(schema: object): object {
  const copy = structuredClone(schema);
  const allow = (part: unknown): void => {
    if (typeof part !== 'object' || part === null) return;
    if (Reflect.get(part, 'additionalProperties') === false) Reflect.deleteProperty(part, 'additionalProperties');
    for (const inner of Object.values(part)) allow(inner);
  };
  allow(copy);
  return copy;
}
