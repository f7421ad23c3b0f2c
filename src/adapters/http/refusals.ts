import { problem } from './schemas.js';

/** The answers that every route of the API may give besides its own. */
export const REFUSALS = {
  400: problem.describe('The request is malformed; the message names the value and what is allowed.'),
  401: problem.describe('No token, or a wrong one.'),
  500: problem.describe('A bug; the log has it under the request id.'),
  503: problem.describe('Database or queue is away. Nothing is lost; ask again.'),
} as const;

export const NOT_FOUND = { 404: problem.describe('There is no such thing.') } as const;
