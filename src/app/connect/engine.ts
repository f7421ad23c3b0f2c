import { createDocker, describeEngine, type DockerSettings, pingEngine } from '../../adapters/docker/connection.js';
import { locateEngine } from '../../adapters/docker/locate-engine.js';
import type { Config } from '../../config/config.js';
import { messageOf } from '../../domain/errors.js';
import { DEFAULT_ENGINE } from '../../domain/runtime-record.js';
import type { Context } from '../context.js';

/**
 * One answer for each set of settings: a socket or a context that appears later must not make two parts of one process
 * talk to two engines.
 */
const located = new WeakMap<Config, DockerSettings>();

/** How the default engine is reached. */
export function engineSettings(config: Config): DockerSettings {
  const settings =
    located.get(config) ??
    (config.dockerHost === null
      ? locateEngine(config.dockerEnvironment)
      : { host: config.dockerHost, tlsVerify: config.dockerTlsVerify, certPath: config.dockerCertPath ?? undefined });
  located.set(config, settings);
  return settings;
}

export interface NamedEngine {
  /** As records name it in `docker_host`. */
  readonly name: string;
  /** The address and where it comes from: `unix:///var/run/docker.sock (from usual socket)`. */
  readonly shown: string;
  /** A client; connects when it is asked something. Throws a `ConfigurationError` for certificates that cannot be read. */
  readonly connect: (options?: Pick<DockerSettings, 'connections'>) => ReturnType<typeof createDocker>;
}

/** The engines of this process, the default one first. */
export function namedEngines(config: Config): readonly NamedEngine[] {
  const named = (name: string, settings: DockerSettings): NamedEngine => ({
    name,
    shown: `${describeEngine(settings)} (from ${settings.source ?? 'DOCKER_HOST'})`,
    connect: (options) => createDocker({ ...settings, ...options }),
  });
  const tls = { tlsVerify: config.dockerTlsVerify, certPath: config.dockerCertPath ?? undefined };
  const others = config.dockerHosts.map(({ name, host }) =>
    named(name, { host, ...tls, source: `RTMANAGER_DOCKER_HOSTS, ${name}` }),
  );
  return [named(DEFAULT_ENGINE, engineSettings(config)), ...others];
}

/** The name of the engine's check in readiness and `doctor`. */
export const engineCheckName = (name: string): string => (name === DEFAULT_ENGINE ? 'engine' : `engine ${name}`);

/** A client of the default engine; connects when it is asked something. */
export function dockerOf(config: Config): ReturnType<typeof createDocker> {
  return createDocker(engineSettings(config));
}

const GREETING_TIMEOUT_MS = 2_000;

/**
 * Says which engine is meant and whether it answers, so that a mistyped address is seen at the start and not at the
 * first cleanup. An engine that is unavailable is no reason to stop.
 */
export async function greetEngine(
  { clock, log, signal }: Context,
  { name, shown, connect }: NamedEngine,
): Promise<void> {
  const engine = { engine: name, address: shown };
  log.info(engine, `engine: ${shown}`);
  try {
    const facts = await pingEngine({ docker: connect(), clock, signal, timeoutMs: GREETING_TIMEOUT_MS });
    log.info({ ...engine, ...facts }, 'container engine answers');
  } catch (error) {
    signal.throwIfAborted();
    log.warn({ ...engine, reason: messageOf(error) }, 'container engine does not answer; cleanups will wait for it');
  }
}
