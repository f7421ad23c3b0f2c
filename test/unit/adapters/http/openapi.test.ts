import { readFileSync } from 'node:fs';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { httpWorld } from './http-world.js';

interface Operation {
  readonly operationId?: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly { readonly in: string; readonly name: string; readonly description?: string }[];
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: object }>>;
  readonly security?: readonly object[];
}

interface Document {
  readonly openapi: string;
  readonly info: { readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

const API = '/api/v1/internal';
const packageVersion = (JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }).version;

describe('the OpenAPI document', () => {
  let document: Document;
  beforeAll(async () => {
    const { app } = await httpWorld({}, { version: packageVersion });
    document = (await app.inject('/openapi.json')).json();
  });
  const operations = () =>
    Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({ call: `${method.toUpperCase()} ${path}`, operation })),
    );

  it('the document passes the recommended rules of Redocly', async () => {
    const config = await createConfig({ extends: ['recommended'] });
    const problems = await lintFromString({ source: JSON.stringify(document), config });
    expect(problems.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer])).toEqual([]);
  });

  it('the document describes exactly the routes of the contract', () => {
    expect(document.openapi).toBe('3.1.0');
    expect(operations().map(({ call }) => call)).toEqual([
      'GET /openapi.json',
      'GET /healthz',
      'GET /readyz',
      'GET /metrics',
      `DELETE ${API}/runtimes/{game_id}/container`,
      `GET ${API}/cleanups/{job_id}`,
      `GET ${API}/runtimes`,
      `GET ${API}/runtimes/{game_id}`,
      `GET ${API}/runtimes/{game_id}/operations`,
      `POST ${API}/runtimes/{game_id}/reopen`,
      `GET ${API}/dead-letters`,
      `GET ${API}/dead-letters/{job_id}`,
      `DELETE ${API}/dead-letters/{job_id}`,
      `POST ${API}/dead-letters/{job_id}/replay`,
      `POST ${API}/dead-letters/replay`,
      `GET ${API}/retention/plan`,
      `GET ${API}/engines`,
      `POST ${API}/engines/{name}/accept`,
    ]);
  });

  it('the document describes each parameter and each answer', () => {
    const parameters = operations().flatMap(({ call, operation }) =>
      (operation.parameters ?? []).map(({ name, description = '' }) => ({ of: `${call} ${name}`, description })),
    );
    const answers = operations().flatMap(({ call, operation }) =>
      Object.entries(operation.responses).map(([status, { description }]) => ({
        of: `${call} ${status}`,
        description,
      })),
    );
    const undescribed = [...parameters, ...answers].filter(({ description }) =>
      ['', 'Default Response'].includes(description),
    );
    expect(undescribed).toEqual([]);
  });

  it('the document has the same schema for every refusal', () => {
    const refusals = operations().flatMap(({ call, operation }) =>
      Object.entries(operation.responses)
        .filter(([status]) => Number(status) >= 400 && !(call === 'GET /readyz' && status === '503'))
        .map(([, { content }]) => content),
    );
    expect(refusals.length).toBeGreaterThan(30);
    const problem = { 'application/json': { schema: { $ref: '#/components/schemas/Problem' } } };
    for (const content of refusals) expect(content).toEqual(problem);
  });

  it('the document requires a token except for health and readiness', () => {
    const open = operations().filter(({ operation }) => operation.security?.length === 0);
    expect(open.map(({ call }) => call)).toEqual(['GET /healthz', 'GET /readyz']);
  });

  // To update the file: save the running server's /openapi.json to it, then run `npx oxfmt schema/openapi.json`.
  it('the document in the package equals the one on the server', () => {
    expect(document.info.version).toBe(packageVersion);
    expect(JSON.parse(readFileSync('schema/openapi.json', 'utf8'))).toEqual(document);
  });
});
