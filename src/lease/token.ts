/** 128 random bits as base64url. */
const TOKEN_MIN_CHARACTERS = 22;

/** The source of tokens gave something that another holder could have, too. A bug or a broken source of randomness. */
export class WeakTokenError extends Error {
  override readonly name = 'WeakTokenError';
}

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
