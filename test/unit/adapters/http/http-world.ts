import type { App } from '../../../../src/adapters/http/app.js';
import { buildApp, type HttpParts } from '../../../../src/adapters/http/build-app.js';
import type { HttpSettings } from '../../../../src/adapters/http/http-ports.js';
import { createConnections } from '../../../../src/adapters/http/request/connections.js';
import type { JobResult } from '../../../../src/jobs/ports.js';
import { type HttpObservations, httpParts, httpSettings, noObservations } from '../../../support/http-parts.js';

/** A server without a port, over ports that answer from memory; override what a test is about. */
export interface HttpWorld extends HttpObservations {
  readonly app: App;
  readonly closing: AbortController;
}

export async function httpWorld(
  over: Partial<HttpParts> = {},
  { ending, ...settings }: Partial<HttpSettings> & { readonly ending?: JobResult } = {},
): Promise<HttpWorld> {
  const records = noObservations();
  const closing = new AbortController();
  const app = await buildApp({ ...httpParts(records, ending), ...over }, httpSettings(settings), {
    closing: closing.signal,
    connections: createConnections(),
  });
  return { app, closing, ...records };
}

export const API = '/api/v1/internal';

/** Requests the cleanup of the game `a`; `path` is its id as it stands in the URL. */
export const requestCleanup = (app: App, headers: Readonly<Record<string, string>> = {}, path = 'a') =>
  app.inject({ method: 'DELETE', url: `${API}/runtimes/${path}/container`, headers });

/** The message of an error body. */
export const messageIn = (answer: { readonly json: () => unknown }): string =>
  (answer.json() as { readonly error: { readonly message: string } }).error.message;
