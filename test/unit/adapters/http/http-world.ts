import type { App } from '../../../../src/adapters/http/app.js';
import { buildApp, type HttpParts } from '../../../../src/adapters/http/build-app.js';
import type { HttpSettings } from '../../../../src/adapters/http/http-ports.js';
import { createConnections } from '../../../../src/adapters/http/request/connections.js';
import type { FakePlatform } from '../../../support/fakes/platform.js';
import type { PlatformState } from '../../../support/fakes/state.js';
import {
  type HttpObservations,
  httpParts,
  httpPlatform,
  httpSettings,
  noObservations,
} from '../../../support/http-parts.js';

/** A server without a port over the fake platform; override a member of a port for a fault that a test is about. */
export interface HttpWorld extends HttpObservations {
  readonly app: App;
  /** What the stores and the queue contain. */
  readonly state: PlatformState;
  readonly engines: FakePlatform['engines'];
  readonly containerLooks: FakePlatform['containerLooks'];
  readonly closing: AbortController;
}

export async function httpWorld(
  over: Partial<HttpParts> = {},
  { platform = httpPlatform(), ...settings }: Partial<HttpSettings> & { readonly platform?: FakePlatform } = {},
): Promise<HttpWorld> {
  const observations = noObservations();
  const closing = new AbortController();
  const app = await buildApp({ ...httpParts(observations, platform), ...over }, httpSettings(settings), {
    closing: closing.signal,
    connections: createConnections(),
  });
  const { state, engines, containerLooks } = platform;
  return { app, closing, state, engines, containerLooks, ...observations };
}

export const API = '/api/v1/internal';

/** Requests the cleanup of the game `a`; `path` is its id as it stands in the URL. */
export const requestCleanup = (app: App, headers: Readonly<Record<string, string>> = {}, path = 'a') =>
  app.inject({ method: 'DELETE', url: `${API}/runtimes/${path}/container`, headers });

/** The message of an error body. */
export const messageIn = (answer: { readonly json: () => unknown }): string =>
  (answer.json() as { readonly error: { readonly message: string } }).error.message;
