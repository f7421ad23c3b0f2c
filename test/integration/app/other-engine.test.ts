import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { serviceContext } from '../../../src/app/context.js';
import { type Service, startService } from '../../../src/app/start-service.js';
import { systemClock } from '../../../src/async/clock.js';
import type { ServiceRole } from '../../../src/cli/command-context.js';
import { createLogger } from '../../../src/telemetry/logger.js';
import { createTelemetry } from '../../../src/telemetry/metrics.js';
import { eventually } from '../../support/eventually.js';
import { createDatabase } from '../../support/postgres/database.js';
import { read } from '../../unit/config/reading.js';

const API = '/api/v1/internal';
const VERSION = { Version: '29.0.1', ApiVersion: '1.52', MinAPIVersion: '1.44', Os: 'linux', Arch: 'amd64' };

/** The identity that answers at the address. */
let engineId = 'own';
const lines: { readonly msg: string; readonly [field: string]: unknown }[] = [];
const closers: (() => Promise<unknown>)[] = [];
let serve: string;
let api: string;

/** An engine without containers, which says of itself what the test wants. */
async function startEngine(): Promise<string> {
  const server: Server = createServer((request, response) => {
    const info = { ID: engineId, DockerRootDir: '/var/lib/docker', Driver: 'overlay2' };
    const body = request.url?.includes('/version') === true ? VERSION : info;
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(async () => server.close());
  return `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Starts the role in this process; resolves to its address. */
async function start(role: ServiceRole, environment: Readonly<Record<string, string>>): Promise<string> {
  const own: (typeof lines)[number][] = [];
  const write = (line: string): void => {
    const parsed = JSON.parse(line) as (typeof lines)[number];
    own.push(parsed);
    lines.push(parsed);
  };
  const log = createLogger({ level: 'info', name: role, destination: { write } });
  const stopping = new AbortController();
  const context = serviceContext({
    config: read({ ...environment, RTMANAGER_INTERNAL_HTTP_ADDR: '127.0.0.1:0' }),
    log,
    clock: systemClock,
    signal: stopping.signal,
  });
  const facts = { version: '1.2.3', metricsText: undefined };
  const service: Service = await startService(context, { role, telemetry: createTelemetry(systemClock), facts });
  closers.push(service.stop);
  const port = own.find(({ msg }) => msg === 'listening')?.['port'];
  return `http://127.0.0.1:${String(port)}`;
}

interface Readiness {
  readonly ready: boolean;
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly detail: string }[];
}

async function readiness(origin: string) {
  const answer = await fetch(`${origin}/readyz`);
  const { checks } = (await answer.json()) as Readiness;
  return { status: answer.status, failed: checks.filter(({ ok }) => !ok), names: checks.map(({ name }) => name) };
}

const engines = async (origin: string): Promise<unknown> => (await fetch(`${origin}${API}/engines`)).json();

beforeAll(async () => {
  const database = await createDatabase();
  closers.push(database.drop);
  const dockerHost = await startEngine();
  serve = await start('serve', { DATABASE_URL: database.url, DOCKER_HOST: dockerHost });
  api = await start('api', { DATABASE_URL: database.url, DOCKER_HOST: 'unix:///no/engine.sock' });
});
afterAll(async () => {
  for (const close of closers.toReversed()) await close();
});

test('another engine at the address makes readiness fail within 15 s in every process, until it is accepted', async () => {
  await eventually(async () => {
    expect([await readiness(serve), await readiness(api)]).toMatchObject([
      { status: 200, failed: [], names: ['database', 'queue', 'engine', 'engines', 'retention'] },
      { status: 200, failed: [], names: ['database', 'queue', 'engines', 'retention'] },
    ]);
    // The stored identity, not only the readiness of a service that has not asked the engine yet.
    expect(await engines(api)).toMatchObject({ items: [{ identity: { engineId: 'own' } }] });
  });
  expect(await engines(serve)).toMatchObject({ items: [{ name: 'default', observed: null, breakerOpen: false }] });
  expect(JSON.stringify(await engines(api))).not.toContain('breakerOpen');

  engineId = 'other';
  const command = expect.stringContaining('"runtime-cleanup engines accept default"');
  await eventually(
    async () => {
      for (const origin of [serve, api]) {
        expect(await readiness(origin)).toMatchObject({ status: 503, failed: [{ name: 'engines', detail: command }] });
      }
    },
    { withinMs: 15_000 },
  );

  const answer = await fetch(`${api}${API}/engines/default/accept`, {
    method: 'POST',
    headers: { 'x-galaxy-caller': 'kim', 'x-request-id': 'request-1' },
  });
  expect([answer.status, await answer.json()]).toMatchObject([
    200,
    { identity: { engineId: 'other' }, observed: null, acceptedBy: 'kim', replaced: { engineId: 'own' }, gone: [] },
  ]);
  expect(lines.filter(({ msg }) => msg === 'engine accepted')).toMatchObject([
    { actor: 'kim', engine: 'default', request_id: 'request-1', replaced: { engineId: 'own' } },
  ]);
  expect([(await readiness(serve)).status, (await readiness(api)).status]).toEqual([200, 200]);
});
