import { createDocker, describeEngine, type DockerSettings, pingEngine } from '../../adapters/docker/connection.js';
import { createContainerEngine } from '../../adapters/docker/container-engine.js';
import { locateEngine } from '../../adapters/docker/locate-engine.js';
import type { ContainerEngine } from '../../cleanup/ports.js';
import type { Clock } from '../../async/clock.js';
import type { Config } from '../../config/config.js';
import { messageOf } from '../../domain/errors.js';
import type { Context } from '../context.js';

/**
 * One answer for each set of settings: a socket or a context that appears later must not make two parts of one process
 * talk to two engines.
 */
const located = new WeakMap<Config, DockerSettings>();

function engineSettings(config: Config): DockerSettings {
  const settings =
    located.get(config) ??
    (config.dockerHost === null
      ? locateEngine(config.dockerEnvironment)
      : { host: config.dockerHost, tlsVerify: config.dockerTlsVerify, certPath: config.dockerCertPath ?? undefined });
  located.set(config, settings);
  return settings;
}

/** A client of the configured engine; connects when it is asked something. */
export function dockerOf(config: Config): ReturnType<typeof createDocker> {
  return createDocker(engineSettings(config));
}

/** The engine's address and where it comes from: `unix:///var/run/docker.sock (from usual socket)`. */
export function shownEngine(config: Config): string {
  const settings = engineSettings(config);
  return `${describeEngine(settings)} (from ${settings.source ?? 'DOCKER_HOST'})`;
}

const GREETING_TIMEOUT_MS = 2_000;

/**
 * Says which engine is meant and whether it answers, so that a mistyped address is seen at the start and not at the
 * first cleanup. An engine that is unavailable is no reason to stop.
 */
export async function greetEngine({ config, clock, log, signal }: Context): Promise<void> {
  const engine = describeEngine(engineSettings(config));
  log.info({ engine }, `engine: ${shownEngine(config)}`);
  try {
    const facts = await pingEngine({ docker: dockerOf(config), clock, signal, timeoutMs: GREETING_TIMEOUT_MS });
    log.info({ engine, ...facts }, 'container engine answers');
  } catch (error) {
    signal.throwIfAborted();
    log.warn({ engine, reason: messageOf(error) }, 'container engine does not answer; cleanups will wait for it');
  }
}

export function openEngine(config: Config, clock: Clock): ContainerEngine {
  return createContainerEngine({ docker: dockerOf(config), clock, timeoutMs: config.dockerTimeoutMs });
}
