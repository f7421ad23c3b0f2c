import type { ErrorCode } from '../../../domain/error-codes.js';
import { messageOf, UnavailableError } from '../../../domain/errors.js';
import { InvalidPageError } from '../../../domain/pages.js';

export type ProblemCode = Exclude<ErrorCode, '' | 'replay_no_op'> | 'unauthorized';

/** The status of each code, where nothing more exact is known. */
const STATUS: Readonly<Record<ProblemCode, number>> = {
  invalid_request: 400,
  unauthorized: 401,
  not_found: 404,
  conflict: 409,
  container_mismatch: 409,
  lease_lost: 409,
  service_unavailable: 503,
  internal_error: 500,
};

/** A request that is answered with an error body. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;

  constructor(
    readonly code: ProblemCode,
    message: string,
    status?: number,
  ) {
    super(message);
    this.status = status ?? STATUS[code];
  }
}

export interface ProblemBody {
  readonly error: { readonly code: ProblemCode; readonly message: string };
}

export const problemBody = ({ code, message }: Problem): ProblemBody => ({ error: { code, message } });

/** What anything thrown is to the caller; undefined for a bug, of which the caller is told nothing. */
export function problemOf(thrown: unknown): Problem | undefined {
  if (thrown instanceof Problem) return thrown;
  if (thrown instanceof UnavailableError) return new Problem('service_unavailable', thrown.message);
  if (thrown instanceof InvalidPageError) return new Problem('invalid_request', thrown.message);
  const status = statusOf(thrown);
  // Fastify's own refusals: too large a body, another media type than JSON, JSON that is none, a bad path.
  if (status >= 400 && status < 500) return new Problem('invalid_request', messageOf(thrown), status);
  return undefined;
}

function statusOf(thrown: unknown): number {
  if (!(thrown instanceof Error) || !('statusCode' in thrown)) return 0;
  return typeof thrown.statusCode === 'number' ? thrown.statusCode : 0;
}
