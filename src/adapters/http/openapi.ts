import swagger from '@fastify/swagger';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import type { App } from './app.js';

/** Collects the routes that are registered after it, and serves what they say of themselves as one document. */
export async function registerOpenApi(app: App, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'runtime-cleanup',
        version,
        description: 'Removes the containers of stopped runtimes: ask for cleanups, see how they go, mend what failed.',
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
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  });
  app.get('/openapi.json', { schema: { hide: true } }, async (_request, reply) =>
    reply.header('content-type', 'application/json; charset=utf-8').send(JSON.stringify(app.swagger())),
  );
}
