import {
  messageOf,
  UnavailableError,
  InvalidPageError,
  RequestRefusedError,
  type RefusalCode,
} from '../../../domain/errors.js';

/** The status of each code, where nothing more exact is known. */
const STATUS: Readonly<Record<RefusalCode, number>> = {
  invalid_request: 400,
  unauthorized: 401,
  not_found: 404,
  conflict: 409,
  container_mismatch: 409,
  lease_lost: 409,
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

/** What anything thrown is to the caller; undefined for a bug, of which the caller is told nothing. */
export function problemOf(thrown: unknown): RequestRefusedError | undefined {
  if (thrown instanceof RequestRefusedError) return thrown;
  if (thrown instanceof UnavailableError) return refused('service_unavailable', thrown.message);
  if (thrown instanceof InvalidPageError) return refused('invalid_request', thrown.message);
  const status = statusOf(thrown);
  // Fastify's own refusals: too large a body, another media type than JSON, JSON that is none, a bad path.
  if (status >= 400 && status < 500) return refused('invalid_request', messageOf(thrown), status);
  return undefined;
}

function statusOf(thrown: unknown): number {
  if (!(thrown instanceof Error) || !('statusCode' in thrown)) return 0;
  return typeof thrown.statusCode === 'number' ? thrown.statusCode : 0;
}
