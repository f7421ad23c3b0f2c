import { createDocker, type DockerSettings } from '../adapters/docker/connection.js';
import { createContainerEngine } from '../adapters/docker/container-engine.js';
import type { ContainerEngine } from '../cleanup/ports.js';
import type { Clock } from '../clock.js';
import type { Config } from '../config.js';

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

export function openEngine(config: Config, clock: Clock): ContainerEngine {
  return createContainerEngine({ docker: dockerOf(config), clock, timeoutMs: config.dockerTimeoutMs });
}
