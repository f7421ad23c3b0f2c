import swagger from '@fastify/swagger';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { API, type App } from './app.js';
import { MALFORMED, UNAUTHORIZED } from './response/error-responses.js';

const JSON_POINTER = '#/components/schemas/';

const REQUEST_ID = {
  'X-Request-Id': { type: 'string', description: 'The id of the request: the one it came with, or a new one.' },
};
/** What an answer of each status carries besides its body. */
const HEADERS: Readonly<Record<string, object>> = {
  202: { Location: { type: 'string', description: `Where to ask how it goes: \`${API}/cleanups/{job_id}\`.` } },
  401: { 'WWW-Authenticate': { type: 'string', description: 'How to authenticate.' } },
  503: { 'Retry-After': { type: 'integer', description: 'Seconds; not on `/readyz`.' } },
};

/** What only the answers of one operation carry. */
const OWN_HEADERS: Readonly<Record<string, object>> = {
  cleanUpContainer: {
    'Preference-Applied': {
      type: 'string',
      description: '`wait=SECONDS`, as it was understood, where it was asked for.',
    },
  },
};

/** Collects the routes that are registered after it, and serves what they say of themselves as one document. */
export async function registerOpenApi(app: App, version: string): Promise<void> {
  await app.register(swagger, {
    hideUntagged: true,
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'runtime-cleanup',
        version,
        description: [
          'Removes the containers of stopped runtimes: ask for cleanups, see how they go, mend what failed.',
          'Fields, query parameters and bodies that nobody asked for are refused with 400.',
          'The dashboards for people, `/admin` and `/admin/queues`, are not part of this document.',
        ].join(' '),
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: '/', description: 'This server.' }],
      tags: [
        { name: 'cleanups', description: 'Ask for a container to be removed, and see how it goes.' },
        { name: 'runtimes', description: 'Runtime records and what was done to them.' },
        { name: 'dead letters', description: 'Requests that ended in failure and wait for a person.' },
        { name: 'retention', description: 'What expires by itself.' },
        { name: 'service', description: 'For whoever runs the service.' },
      ],
      components: {
        securitySchemes: {
          token: { type: 'http', scheme: 'bearer', description: 'One of RTMANAGER_API_TOKENS, where any are set.' },
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

/** Routes that are no part of the document have no schema. */
function withHeaders(schema: Schema | undefined): Schema {
  if (schema === undefined) return { hide: true };
  const { response } = schema;
  if (typeof response !== 'object' || response === null) return schema;
  const operationId: unknown = Reflect.get(schema, 'operationId');
  const own = OWN_HEADERS[String(operationId)];
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
 * Without the schemas that no route refers to, of which each has a twin for the other direction; and open, because
 * answers may grow further fields some day, which no client should stumble over.
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
    if (used.has(name)) schemas[name] = name.endsWith('Input') ? schema : opened(schema);
  }
  return { ...document, components: { ...components, schemas } };
}

const refsIn = (part: unknown): readonly string[] =>
  [...(JSON.stringify(part) ?? '').matchAll(/"\$ref":"([^"]+)"/g)].map(([, ref = '']) => ref.replace(JSON_POINTER, ''));

function opened(schema: object): object {
  const copy = structuredClone(schema);
  const open = (part: unknown): void => {
    if (typeof part !== 'object' || part === null) return;
    if (Reflect.get(part, 'additionalProperties') === false) Reflect.deleteProperty(part, 'additionalProperties');
    for (const inner of Object.values(part)) open(inner);
  };
  open(copy);
  return copy;
}
