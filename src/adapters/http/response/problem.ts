/** Error bodies: the status of each code, what of an error the caller may read, and how the OpenAPI document says it. */
import {
  messageOf,
  UnavailableError,
  InvalidPageError,
  RequestRefusedError,
  type RefusalCode,
} from '../../../domain/errors.js';
import { problem } from './schemas.js';

/** The HTTP status of each code. */
const STATUS: Readonly<Record<RefusalCode, number>> = {
  invalid_request: 400,
  unauthorized: 401,
  not_found: 404,
  conflict: 409,
  container_mismatch: 409,
  lease_lost: 409,
  engine_mismatch: 503,
  service_unavailable: 503,
  internal_error: 500,
};

/** A request that is answered with an error body; `status` replaces the usual HTTP status of the code. */
export const refused = (code: RefusalCode, message: string, status: number = STATUS[code]): RequestRefusedError =>
  new RequestRefusedError(code, status, message);

export interface ProblemBody {
  readonly error: { readonly code: RefusalCode; readonly message: string };
}

export const problemBody = ({ code, message }: RequestRefusedError): ProblemBody => ({ error: { code, message } });

/** The error body of anything thrown; undefined for a bug, whose text must not reach the caller. */
export function problemOf(thrown: unknown): RequestRefusedError | undefined {
  if (thrown instanceof RequestRefusedError) return thrown;
  if (thrown instanceof UnavailableError) return refused('service_unavailable', thrown.message);
  if (thrown instanceof InvalidPageError) return refused('invalid_request', thrown.message);
  const status = statusOf(thrown);
  // Fastify's own errors: body too large, wrong media type, invalid JSON, invalid path.
  if (status >= 400 && status < 500) return refused('invalid_request', messageOf(thrown), status);
  return undefined;
}

function statusOf(thrown: unknown): number {
  if (!(thrown instanceof Error) || !('statusCode' in thrown)) return 0;
  return typeof thrown.statusCode === 'number' ? thrown.statusCode : 0;
}

/** The refusal of routes without parameters: only the request id can be invalid. */
export const MALFORMED = { 400: problem.describe('The request is malformed.') } as const;

export const UNAUTHORIZED = {
  401: problem.describe('The token is missing or wrong, or a page of another site made the request.'),
} as const;

/** The refusals that every route of the API may answer with. */
export const REFUSALS = {
  400: problem.describe('The request is malformed; the message names the value and what is allowed.'),
  ...UNAUTHORIZED,
  500: problem.describe('A bug; the log has the details under the request id.'),
  503: problem.describe(
    'Database or queue is unavailable, or the server is about to stop. Nothing is lost; send the request again.',
  ),
} as const;

export const NOT_FOUND = { 404: problem.describe('It does not exist.') } as const;
