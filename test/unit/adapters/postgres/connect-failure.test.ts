import { DatabaseError } from 'pg';
import { describe, expect, test } from 'vitest';
import { connectCure, connectFailure } from '../../../../src/adapters/postgres/connect-failure.js';
import { MissingRightError, UnavailableError } from '../../../../src/domain/errors.js';

const coded = (code: string, message = code): Error => Object.assign(new Error(message), { code });

function refused(code: string, message: string): DatabaseError {
  const error = new DatabaseError(message, 0, 'error');
  error.code = code;
  return error;
}

describe('a connection that could not be made', () => {
  test.each<readonly [string, Error, string | RegExp]>([
    [
      'an unknown authority',
      coded('SELF_SIGNED_CERT_IN_CHAIN'),
      /known here \(SELF_SIGNED_CERT_IN_CHAIN\); set sslrootcert in DATABASE_URL to a file/,
    ],
    ['an expired certificate', coded('CERT_HAS_EXPIRED'), /has expired .*; renew the certificate of the server/],
    ['another host', coded('ERR_TLS_CERT_ALTNAME_INVALID'), /for another host .*; write the host in the address/],
    [
      'a refused client certificate',
      coded('ERR_SSL_TLSV1_ALERT_UNKNOWN_CA'),
      /does not accept the client certificate .*; set sslcert and sslkey in DATABASE_URL/,
    ],
    [
      'a server that requires a client certificate',
      refused('28000', 'connection requires a valid client certificate'),
      'certificate; add sslcert and sslkey, a certificate that the server accepts, to DATABASE_URL',
    ],
    [
      'a server that requires TLS',
      refused('28000', 'no pg_hba.conf entry for host "10.0.0.1", user "u", database "d", no encryption'),
      'no encryption; the server requires TLS: add sslmode=verify-full to DATABASE_URL',
    ],
    [
      'a server without TLS',
      new Error('The server does not support SSL connections'),
      'connections; set "ssl = on" in its postgresql.conf, or write sslmode=disable in DATABASE_URL',
    ],
    [
      'a missing password',
      new Error('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string'),
      'string; the server asks for a password: write it into DATABASE_URL',
    ],
  ])('%s is an outage that names its cure', (_what, error, message) => {
    const failure = connectFailure(error);
    expect(failure).toBeInstanceOf(UnavailableError);
    expect(failure.message).toMatch(message);
    expect(failure.message).toMatch(/^PostgreSQL is not available: /);
    expect(failure.cause).toBe(error);
    expect(connectCure(failure)).toBe(connectCure(error));
  });

  test.each([
    ['an unsupported startup parameter', refused('0A000', 'unsupported startup parameter: options')],
    ['an error inside the server', refused('XX000', 'cache lookup failed')],
    ['an answer that is not of the protocol', new Error('unknown message code: 48')],
  ])('%s is an outage, although it would be a bug later', (_what, error) => {
    expect(connectFailure(error)).toEqual(
      new UnavailableError('postgresql', `PostgreSQL is not available: ${error.message}`, { cause: error }),
    );
  });

  test('a missing right is called so', () => {
    const error = refused('42501', 'permission denied for database "d"');
    expect(connectFailure(error)).toEqual(new MissingRightError('postgresql', error.message, { cause: error }));
  });

  test.each([
    ['a refused connection', coded('ECONNREFUSED')],
    ['a wrong password', refused('28P01', 'password authentication failed for user "u"')],
    ['a missing database', refused('3D000', 'database "d" does not exist')],
    ['a server that starts', refused('57P03', 'the database system is starting up')],
  ])('%s stays as it is', (_what, error) => {
    expect(connectFailure(error)).toBe(error);
    expect(connectCure(error)).toBeUndefined();
  });
});
