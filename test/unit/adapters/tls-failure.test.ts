import { describe, expect, it } from 'vitest';
import { isSocketFailure } from '../../../src/adapters/outage.js';
import { tlsFailure } from '../../../src/adapters/tls-failure.js';

const failing = (code: string, message = 'x'): Error => Object.assign(new Error(message), { code });
const toldOf = (error: unknown): string | undefined => {
  const failure = tlsFailure(error);
  return failure && `${failure.reason}; ${failure.cure('CA_FILE', 'CERT_FILE and KEY_FILE')}`;
};

describe('tlsFailure', () => {
  it.each([
    ['SELF_SIGNED_CERT_IN_CHAIN', /not signed by an authority .*; set CA_FILE to/],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', /not signed by an authority .*; set CA_FILE to/],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /not signed by an authority .*; set CA_FILE to/],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', /not signed by an authority .*; set CA_FILE to/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', /for another host .*; write the host/],
    ['CERT_HAS_EXPIRED', /has expired .*; renew the certificate .* CA_FILE/],
    ['CERT_NOT_YET_VALID', /not valid yet .*clock/],
    ['CERT_REVOKED', /cannot be used .*; give the server another certificate/],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', /requires a client certificate .*; set CERT_FILE and KEY_FILE/],
    ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', /does not accept the client certificate .*; set CERT_FILE and KEY_FILE/],
    ['ERR_SSL_WRONG_VERSION_NUMBER', /does not speak TLS .*; use the port for TLS/],
    ['ERR_SSL_UNSUPPORTED_PROTOCOL', /version or cipher .*; allow TLS 1\.2/],
    ['ERR_SSL_SOMETHING_NEW', /could not be made \(ERR_SSL_SOMETHING_NEW\); make sure that the port speaks TLS/],
  ])('%s is named with its cure, and is an outage', (code, text) => {
    expect(toldOf(failing(code))).toMatch(text);
    expect(toldOf(new Error('outer', { cause: failing(code) }))).toMatch(text);
    expect(isSocketFailure(failing(code))).toBe(true);
  });

  it('a handshake that failed is recognized by its message where its code does not say so', () => {
    const broken = 'Client network socket disconnected before secure TLS connection was established';
    expect(toldOf(failing('ECONNRESET', broken))).toMatch(/could not be made/);
    expect(toldOf(failing('EPROTO', 'write EPROTO 00:error:0A000:SSL routines:x:sslv3 alert:'))).toMatch(/could not/);
  });

  it.each([failing('ECONNREFUSED'), failing('ECONNRESET'), new Error('x'), 'x', undefined])(
    '%s is no failure of TLS',
    (error) => {
      expect(tlsFailure(error)).toBeUndefined();
    },
  );
});
