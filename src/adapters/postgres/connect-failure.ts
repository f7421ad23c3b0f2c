import { BugError, ConfigurationError, messageOf, MissingRightError, UnavailableError } from '../../domain/errors.js';
import { MISSING_RIGHT } from '../outage.js';
import { tlsFailure } from '../tls-failure.js';
import { isOutage } from './failure.js';

/** What the server or the driver says, and what the operator can do about it. */
const CURES: readonly (readonly [text: RegExp, cure: string])[] = [
  [
    /does not support SSL/,
    'set "ssl = on" in its postgresql.conf, or write sslmode=disable in DATABASE_URL where no network is between',
  ],
  [/no pg_hba\.conf entry .*no encryption/, 'the server requires TLS: add sslmode=verify-full to DATABASE_URL'],
  [/valid client certificate/, 'add sslcert and sslkey, a certificate that the server accepts, to DATABASE_URL'],
  [/password must be a/, 'the server asks for a password: write it into DATABASE_URL'],
];

/** What to do about a connection that cannot be made; undefined where the error explains itself. */
export function connectCure(error: unknown): string | undefined {
  const tls = tlsFailure(error);
  if (tls !== undefined) return tls.cure('sslrootcert in DATABASE_URL', 'sslcert and sslkey in DATABASE_URL');
  const text = messageOf(error);
  return CURES.find(([pattern]) => pattern.test(text))?.[1];
}

/**
 * Why a connection could not be made. Each reason counts as an outage: a certificate that has expired or a login that was
 * changed is corrected while the service runs, and its jobs wait for that. An error that is known as an outage and
 * explains itself stays as it is.
 */
export function connectFailure(error: Error): Error {
  if (error instanceof ConfigurationError || error instanceof BugError) return error;
  if ('code' in error && error.code === MISSING_RIGHT) {
    return new MissingRightError('postgresql', error.message, { cause: error });
  }
  const cure = connectCure(error);
  if (cure === undefined && isOutage(error)) return error;
  const why = tlsFailure(error)?.reason ?? messageOf(error);
  return new UnavailableError(
    'postgresql',
    `PostgreSQL is not available: ${why}${cure === undefined ? '' : `; ${cure}`}`,
    {
      cause: error,
    },
  );
}
