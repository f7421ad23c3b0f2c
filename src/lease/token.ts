/** 128 random bits as base64url. */
import { WeakTokenError } from '../domain/errors.js';
const TOKEN_MIN_CHARACTERS = 22;

/**
 * One token for one acquisition. Whatever the source throws goes to the caller: a lease under a guessable or repeated
 * token protects nothing, so there is nothing to fall back to.
 */
export function drawToken(newToken: () => string): string {
  const token = newToken();
  if (typeof token !== 'string' || token.length < TOKEN_MIN_CHARACTERS) {
    throw new WeakTokenError(`the token source gave a token of fewer than ${TOKEN_MIN_CHARACTERS} characters`);
  }
  return token;
}
