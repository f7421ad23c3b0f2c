/** What routes see of the server: its type and its paths. */
import type { FastifyBaseLogger, FastifyInstance, FastifyRequest, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** Requests and answers of its routes are checked against their schemas. */
export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** The prefix of the API's paths (contract, section 4). */
export const API = '/api/v1/internal';

/** The path of the queue dashboard. */
export const BOARD_PATH = '/admin/queues';

/** The path of a request without its query. */
export const pathOf = ({ url }: Pick<FastifyRequest, 'url'>): string => url.split('?', 1)[0] ?? '';

/** Whether people open the path in a browser; all other paths are for programs. */
export const isForBrowsers = (path: string): boolean => path === '/admin' || path.startsWith('/admin/');
