import { createDocker, describeEngine, type DockerSettings, pingEngine } from '../../adapters/docker/connection.js';
import { createContainerEngine } from '../../adapters/docker/container-engine.js';
import type { ContainerEngine } from '../../cleanup/ports.js';
import type { Clock } from '../../async/clock.js';
import type { Config } from '../../config/config.js';
import { messageOf } from '../../domain/errors.js';
import type { Context } from '../context.js';

export function engineSettings(config: Config): DockerSettings {
  return {
    host: config.dockerHost,
    tlsVerify: config.dockerTlsVerify,
    certPath: config.dockerCertPath ?? undefined,
  };
}

/** A client of the configured engine; connects when it is asked something. */
export function dockerOf(config: Config): ReturnType<typeof createDocker> {
  return createDocker(engineSettings(config));
}

const GREETING_TIMEOUT_MS = 2_000;

/** A mistyped address must be seen at the start, not at the first cleanup; an engine that is away is no reason to stop. */
export async function greetEngine({ config, clock, log, signal }: Context): Promise<void> {
  const engine = describeEngine(engineSettings(config));
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
