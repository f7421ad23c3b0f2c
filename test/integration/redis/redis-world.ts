/** The service in this process, beside an engine without containers, for tests of its Redis. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serviceContext } from '../../../src/app/context.js';
import { type Service, startService } from '../../../src/app/start-service.js';
import { systemClock } from '../../../src/async/clock.js';
import type { CommandContext, ServiceRole } from '../../../src/cli/command-context.js';
import { createLogger } from '../../../src/telemetry/logger.js';
import { createTelemetry } from '../../../src/telemetry/metrics.js';
import { read } from '../../unit/config/reading.js';

export type Environment = Readonly<Record<string, string>>;
type LogLine = Readonly<Record<string, unknown>>;

export interface EmptyEngine {
  readonly url: string;
  readonly close: () => void;
}

export async function startEmptyEngine(): Promise<EmptyEngine> {
  const version = { Version: '29.0.1', ApiVersion: '1.52', MinAPIVersion: '1.44', Os: 'linux', Arch: 'amd64' };
  const info = { ID: 'own', DockerRootDir: '/var/lib/docker', Driver: 'overlay2' };
  const answers: readonly (readonly [end: string, body: unknown])[] = [
    ['/version', version],
    ['/info', info],
    ['/containers/json', []],
  ];
  const server = createServer((request, response) => {
    const path = (request.url ?? '').replace(/\?.*/, '');
    const [, body] = answers.find(([end]) => path.endsWith(end)) ?? [];
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body ?? { message: `No such container: ${path}` }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => void server.close() };
}

export const sessionOf = (environment: Environment, write?: (line: string) => void): CommandContext => ({
  config: read({ RTMANAGER_INTERNAL_HTTP_ADDR: '127.0.0.1:0', ...environment }),
  log: createLogger({
    name: 'redis-test',
    level: write === undefined ? 'silent' : 'info',
    ...(write && { destination: { write } }),
  }),
  clock: systemClock,
  signal: new AbortController().signal,
});

export interface Started {
  readonly origin: string;
  readonly lines: readonly LogLine[];
  readonly stop: Service['stop'];
}

export async function start(role: ServiceRole, environment: Environment): Promise<Started> {
  const lines: LogLine[] = [];
  const session = sessionOf(environment, (line) => void lines.push(JSON.parse(line) as LogLine));
  const facts = { version: '1', metricsText: undefined };
  const telemetry = createTelemetry(systemClock);
  const { stop } = await startService(serviceContext(session), { role, telemetry, facts });
  const port = lines.find(({ msg }) => msg === 'listening')?.['port'];
  return { origin: `http://127.0.0.1:${String(port)}`, lines, stop };
}
