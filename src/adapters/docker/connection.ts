import { readFileSync } from 'node:fs';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { inspect } from 'node:util';
import type Docker from 'dockerode';
import type { Clock } from '../../async/clock.js';
import {
  ConfigurationError,
  EngineRefusalError,
  messageOf,
  TimeoutError,
  UnavailableError,
} from '../../domain/errors.js';
import type { EngineIdentity } from '../../engines/engine-ports.js';
import { isEnginesOwn, readFailure } from './classify-failure.js';
import { type EngineEndpoint, parseEndpoint } from './endpoint.js';
import { fieldsOf } from './fields.js';
import { catchAnswerErrors } from './patches/catch-answer-errors.js';
import { ignoreRedirects } from './patches/ignore-redirects.js';
import { withDeadline } from '../../async/deadline.js';

export interface DockerSettings {
  /** `DOCKER_HOST`, or what `locateEngine` found in its place. */
  readonly host: string;
  /** `DOCKER_TLS_VERIFY`. Port 2376 and https:// mean TLS in any case. */
  readonly tlsVerify?: boolean | undefined;
  /** `DOCKER_CERT_PATH`: folder of `ca.pem`, `cert.pem` and `key.pem`; without it the system's authorities count. */
  readonly certPath?: string | undefined;
  /** Where `host` comes from, for messages; `DOCKER_HOST` unless told otherwise. */
  readonly source?: string | undefined;
  /**
   * `fresh`: each request has a connection of its own. For the question who answers at the address: a connection that was
   * kept open still leads to the engine that answered there when it was made. Default: `kept`.
   */
  readonly connections?: 'kept' | 'fresh' | undefined;
}

/**
 * A client of the one engine that the settings name; no connection is made yet.
 *
 * Its library would fill every option that is not set from the environment, and a `DOCKER_HOST` there wins over a given
 * socket; so every such option is set here, if only to undefined.
 *
 * @throws ConfigurationError that names the variable, its value and what is allowed
 */
export function createDocker(settings: DockerSettings): Docker {
  const endpoint = parseEndpoint(settings.host, settings);
  const explicit: Docker.DockerOptions & { readonly pathPrefix: undefined; readonly agent: HttpAgent } = {
    pathPrefix: undefined,
    timeout: undefined,
    username: undefined,
    agent: agentFor(endpoint, settings.connections ?? 'kept'),
    ...(endpoint.kind === 'socket'
      ? { socketPath: endpoint.socketPath, host: '', port: undefined, protocol: 'http', ...NO_CERTIFICATES }
      : {
          socketPath: undefined,
          host: endpoint.host,
          port: endpoint.port,
          protocol: endpoint.tls ? 'https' : 'http',
          ...(endpoint.tls && isGiven(settings.certPath)
            ? readCertificates(settings.certPath, settings.source)
            : NO_CERTIFICATES),
        }),
  };
  return catchAnswerErrors(construct(explicit));
}

/** The engine that the settings name, for messages: `unix:///var/run/docker.sock`, `tcp://host:2375`. */
export function describeEngine(settings: DockerSettings): string {
  const endpoint = parseEndpoint(settings.host, settings);
  if (endpoint.kind === 'socket') return `unix://${endpoint.socketPath}`;
  return `${endpoint.tls ? 'https' : 'tcp'}://${endpoint.host}:${endpoint.port}`;
}

function agentFor(endpoint: EngineEndpoint, connections: 'kept' | 'fresh'): HttpAgent {
  const Agent = endpoint.kind === 'network' && endpoint.tls ? HttpsAgent : HttpAgent;
  // As Node's own agent; it closes a connection that was not used for five seconds.
  const agent = new Agent({ keepAlive: connections === 'kept', scheduling: 'lifo', timeout: 5_000 });
  // docker-modem turns its options into text for each request; to do that with an agent takes a hundred times as long.
  return ignoreRedirects(Object.assign(agent, { [inspect.custom]: () => 'an agent' }));
}

/** Closes the connections that no request uses: the next request is made at the address as it is now. */
export function reconnect({ modem }: Docker): void {
  const { agent } = fieldsOf(modem);
  if (!(agent instanceof HttpAgent)) return;
  for (const socket of Object.values(agent.freeSockets).flat()) socket?.destroy();
}

const NO_CERTIFICATES = { ca: undefined, cert: undefined, key: undefined } as const;

function readCertificates(certPath: string, source = 'DOCKER_CERT_PATH'): { ca: Buffer; cert: Buffer; key: Buffer } {
  const read = (file: string): Buffer => {
    try {
      return readFileSync(join(certPath, file));
    } catch (cause) {
      const needed = 'it must be a folder with ca.pem, cert.pem and key.pem';
      throw new ConfigurationError(`${source}=${certPath}: ${needed}; ${messageOf(cause)}`, { cause });
    }
  };
  return { ca: read('ca.pem'), cert: read('cert.pem'), key: read('key.pem') };
}

const require = createRequire(import.meta.url);

/** Loads dockerode for the first client: it brings gRPC and SSH along, and most commands ask no engine. */
function construct(options: Docker.DockerOptions): Docker {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what `require` returns has no type
  const Dockerode = require('dockerode') as typeof Docker;
  try {
    return new Dockerode(options);
  } catch (cause) {
    // It parses the environment before it looks at its options, and throws over what it will not use.
    throw new ConfigurationError(
      `DOCKER_HOST or DOCKER_CERT_PATH in the environment cannot be read: ${messageOf(cause)}`,
      { cause },
    );
  }
}

export interface EngineFacts {
  readonly version: string;
  readonly apiVersion: string;
  readonly os: string;
  readonly arch: string;
}

export interface PingDeps {
  readonly docker: Docker;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** What answers at the other end. Rejects with `UnavailableError` when that is no engine, or not in time. */
export async function pingEngine(deps: PingDeps): Promise<EngineFacts> {
  const facts = readFacts(await askInTime(deps, '/version'));
  if (facts === undefined) throw new UnavailableError('docker', 'what answers is no container engine');
  return facts;
}

/** Who answers. Rejects with `UnavailableError` when that is no engine, or not in time. */
export async function identifyEngine(deps: PingDeps): Promise<EngineIdentity> {
  const identity = readIdentity(await askInTime(deps, '/info'));
  if (identity === undefined) throw new UnavailableError('docker', 'what answers does not say which engine it is');
  return identity;
}

async function askInTime({ docker, clock, timeoutMs, signal }: PingDeps, path: '/version' | '/info'): Promise<unknown> {
  const late = () => new TimeoutError('no answer', timeoutMs, { dependency: 'docker' });
  try {
    return await withDeadline({ clock, limitMs: timeoutMs, late, signal }, (abortSignal) =>
      ask(docker, path, abortSignal),
    );
  } catch (cause) {
    signal?.throwIfAborted();
    const failure = readFailure(cause);
    const message = `the engine does not answer: ${failure.text}`;
    throw failure.kind === 'answer' && isEnginesOwn(failure)
      ? new EngineRefusalError(message, { cause })
      : new UnavailableError('docker', message, { cause });
  }
}

function readIdentity(body: unknown): EngineIdentity | undefined {
  const { ID: engineId, DockerRootDir: rootDir, Driver: storageDriver, BuildahVersion: buildah } = fieldsOf(body);
  if (typeof rootDir !== 'string' || typeof storageDriver !== 'string') return undefined;
  // Podman writes a new random ID into each answer; only its own answer has a version of Buildah.
  const isLasting = typeof engineId === 'string' && buildah === undefined;
  return { engineId: isLasting ? engineId : '', rootDir, storageDriver };
}

/** The library's own calls would do, but their types know no abort signal, and a hung call must give its socket back. */
function ask(docker: Docker, path: '/version' | '/info', abortSignal: AbortSignal): Promise<unknown> {
  return new Promise((resolve, reject) => {
    docker.modem.dial({ path, method: 'GET', statusCodes: { 200: true }, abortSignal }, (error, body) => {
      if (error === null) resolve(body);
      else reject(error);
    });
  });
}

function readFacts(body: unknown): EngineFacts | undefined {
  const { Version, ApiVersion, Os, Arch } = fieldsOf(body);
  if (typeof Version !== 'string' || typeof ApiVersion !== 'string') return undefined;
  if (typeof Os !== 'string' || typeof Arch !== 'string') return undefined;
  return { version: Version, apiVersion: ApiVersion, os: Os, arch: Arch };
}

function isGiven(text: string | undefined): text is string {
  return text !== undefined && text.trim() !== '';
}
