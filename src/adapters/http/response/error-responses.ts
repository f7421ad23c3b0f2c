import { problem } from '../schemas.js';

/** Of routes that take nothing: a request id that can be none. */
export const MALFORMED = { 400: problem.describe('The request is malformed.') } as const;

export const UNAUTHORIZED = {
  401: problem.describe('No token, or a wrong one; or a request that a page of another site has made.'),
} as const;

/** The answers that every route of the API may give besides its own. */
export const REFUSALS = {
  400: problem.describe('The request is malformed; the message names the value and what is allowed.'),
  ...UNAUTHORIZED,
  500: problem.describe('A bug; the log has it under the request id.'),
  503: problem.describe('Database or queue is away, or the server is about to stop. Nothing is lost; ask again.'),
} as const;

export const NOT_FOUND = { 404: problem.describe('There is no such thing.') } as const;
