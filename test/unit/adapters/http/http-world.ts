import type { App } from '../../../../src/adapters/http/app.js';
import type { AnsweredRequest, HttpParts, HttpSettings } from '../../../../src/adapters/http/http-ports.js';
import { buildApp } from '../../../../src/adapters/http/server.js';
import type { CleanupJobData, JobResult } from '../../../../src/jobs/ports.js';
import { type HttpRecords, httpParts } from '../../../support/http-parts.js';

/** A server without a port, over parts that answer from memory; override what a test is about. */
export interface HttpWorld extends HttpRecords {
  readonly app: App;
  readonly closing: AbortController;
}

export async function httpWorld(
  over: Partial<HttpParts> = {},
  settings: Partial<HttpSettings> & { readonly ending?: JobResult } = {},
): Promise<HttpWorld> {
  const enqueued: CleanupJobData[] = [];
  const bugs: unknown[] = [];
  const answered: AnsweredRequest[] = [];
  const { ending } = settings;
  const parts = { ...httpParts({ enqueued, bugs, answered }, ending), ...over };
  const closing = new AbortController();
  const app = await buildApp(
    parts,
    { host: '127.0.0.1', port: 0, tokens: [], version: '1.2.3', ...settings },
    closing.signal,
  );
  return { app, enqueued, bugs, answered, closing };
}
