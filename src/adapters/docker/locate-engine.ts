/**
 * Which engine is meant when `DOCKER_HOST` is not set: the current docker context, as Docker's own tools keep it, or the
 * first of the usual sockets that exists.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ENGINE_ADDRESSES_ALLOWED, parseEngineAddress, SYSTEM_SOCKET } from '../../domain/engine-address.js';
import { ConfigurationError, messageOf } from '../../domain/errors.js';
import { visible } from '../../domain/text.js';
import { fieldsOf } from './fields.js';

/** What the environment says to Docker's own tools. */
export interface DockerEnvironment {
  /** `DOCKER_CONTEXT`; null: the current context of `configDir`. */
  readonly context: string | null;
  /** `DOCKER_CONFIG` or `~/.docker`; null: the user has no home folder. */
  readonly configDir: string | null;
  /** `XDG_RUNTIME_DIR` or the usual folder of this user; null where the system has none. */
  readonly runtimeDir: string | null;
  readonly homeDir: string | null;
}

export interface LocatedEngine {
  /** As `DOCKER_HOST`. */
  readonly host: string;
  readonly tlsVerify: boolean;
  readonly certPath: string | undefined;
  /** Where the address comes from, for people. */
  readonly source: string;
}

/** The part of the file system that is looked at. */
export interface EngineFiles {
  /** The file's text; undefined when there is no such file. Throws when it cannot be read. */
  readonly read: (path: string) => string | undefined;
  readonly exists: (path: string) => boolean;
}

const systemFiles: EngineFiles = {
  read: (path) => {
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      const code = fieldsOf(error)['code'];
      if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
      throw error;
    }
  },
  exists: existsSync,
};

/** @throws ConfigurationError when a context is named that cannot be used: another engine must not stand in for it */
export function locateEngine(environment: DockerEnvironment, files: EngineFiles = systemFiles): LocatedEngine {
  const context = currentContext(environment, files);
  return context === undefined ? usualSocket(environment, files) : engineOfContext(context, files);
}

interface NamedContext {
  readonly name: string;
  readonly configDir: string;
  /** The variable or file that names it. */
  readonly namedBy: string;
}

function currentContext({ context, configDir }: DockerEnvironment, files: EngineFiles): NamedContext | undefined {
  if (context === 'default') return undefined;
  if (configDir === null) {
    if (context === null) return undefined;
    throw refused(
      'DOCKER_CONTEXT: this user has no home folder, so the folder of the contexts is unknown: set DOCKER_CONFIG',
    );
  }
  if (context !== null) return { name: context, configDir, namedBy: 'DOCKER_CONTEXT' };
  const file = join(configDir, 'config.json');
  const name = readJson(file, files)['currentContext'];
  if (typeof name !== 'string' || name === '' || name === 'default') return undefined;
  return { name, configDir, namedBy: `currentContext of ${file}` };
}

function engineOfContext({ name, configDir, namedBy }: NamedContext, files: EngineFiles): LocatedEngine {
  const id = createHash('sha256').update(name).digest('hex');
  const file = join(configDir, 'contexts', 'meta', id, 'meta.json');
  const source = `docker context ${JSON.stringify(visible(name))}`;
  if (!files.exists(file)) throw refused(`${namedBy}: ${source} does not exist: there is no ${file}`);
  const { Host: host, SkipTLSVerify: skipsCheck } = fieldsOf(
    fieldsOf(fieldsOf(readJson(file, files))['Endpoints'])['docker'],
  );
  if (typeof host !== 'string') throw refused(`${file}: ${source} names no address of an engine`);
  const address = parseEngineAddress(host);
  if (address.kind === 'invalid') {
    const allowed = `allowed: ${ENGINE_ADDRESSES_ALLOWED}`;
    throw refused(`${file}: Host ${JSON.stringify(visible(host))} of ${source}: ${address.why}; ${allowed}`);
  }
  if (address.kind === 'socket') return { host, tlsVerify: false, certPath: undefined, source };
  if (skipsCheck === true) {
    throw refused(`${file}: ${source} has SkipTLSVerify, and a certificate that is not checked is not supported`);
  }
  const certPath = join(configDir, 'contexts', 'tls', id, 'docker');
  const hasCertificates = files.exists(certPath);
  return { host, tlsVerify: hasCertificates, certPath: hasCertificates ? certPath : undefined, source };
}

function usualSocket({ runtimeDir, homeDir }: DockerEnvironment, files: EngineFiles): LocatedEngine {
  const usual = [
    SYSTEM_SOCKET,
    ...(runtimeDir === null ? [] : [join(runtimeDir, 'docker.sock')]),
    // Where Docker Desktop puts it when it may not write to /var/run: on macOS and on Linux.
    ...(homeDir === null
      ? []
      : [join(homeDir, '.docker', 'run', 'docker.sock'), join(homeDir, '.docker', 'desktop', 'docker.sock')]),
  ];
  const found = usual.find(files.exists);
  return {
    host: `unix://${found ?? SYSTEM_SOCKET}`,
    tlsVerify: false,
    certPath: undefined,
    source: found === undefined ? `usual socket; none exists of ${usual.join(', ')}` : 'usual socket',
  };
}

function readJson(file: string, files: EngineFiles): Readonly<Record<string, unknown>> {
  let text: string | undefined;
  try {
    text = files.read(file);
  } catch (cause) {
    throw refused(`${file} cannot be read, so the docker context is unknown: ${messageOf(cause)}`, cause);
  }
  try {
    return text === undefined ? {} : fieldsOf(JSON.parse(text));
  } catch {
    // The parser's message quotes the file, which may hold the password of a registry.
    throw refused(`${file} is not JSON, so the docker context is unknown`);
  }
}

const refused = (problem: string, cause?: unknown): ConfigurationError =>
  new ConfigurationError(`${problem}. Repair it, or set DOCKER_HOST`, { cause });
