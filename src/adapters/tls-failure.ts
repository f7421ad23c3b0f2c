/**
 * What a failed TLS connection to a store means, and what an operator can do about it. Adapters must not import each
 * other, but Redis and PostgreSQL are reached through the same TLS of Node, so this file serves both.
 */
export interface TlsFailure {
  /** What is wrong, with the code of Node or OpenSSL. */
  readonly reason: string;
  /**
   * What to do.
   * @param caSetting the setting with the certificates of the authorities that count
   * @param certificateSettings the settings with this service's own certificate and its key
   */
  readonly cure: (caSetting: string, certificateSettings?: string) => string;
}

type Cure = TlsFailure['cure'];

interface Kind {
  readonly what: string;
  readonly cure: Cure;
}

const OWN_CERTIFICATE = 'the settings of the client certificate';

const unknownAuthority: Kind = {
  what: "the server's certificate was not signed by an authority that is known here",
  cure: (caSetting) =>
    `set ${caSetting} to a file with the certificate of the authority (of the server itself, if it is self-signed)`,
};
const wrongName: Kind = {
  what: "the server's certificate is for another host",
  cure: () =>
    'write the host in the address as the certificate names it, or give the server a certificate for this host',
};
const outOfDate: Kind = {
  what: "the server's certificate has expired or is not valid yet",
  cure: (caSetting) =>
    `renew the certificate of the server (or of its authority, and then the file in ${caSetting}), or correct the clock of this machine`,
};
const unusable: Kind = {
  what: "the server's certificate cannot be used",
  cure: () => 'give the server another certificate: this one is revoked, too weak, or not made for servers',
};
const ownRequired: Kind = {
  what: 'the server requires a client certificate',
  cure: (_caSetting, certificateSettings = OWN_CERTIFICATE) =>
    `set ${certificateSettings} to a certificate that the server accepts, and its key`,
};
const ownRefused: Kind = {
  what: 'the server does not accept the client certificate',
  cure: (_caSetting, certificateSettings = OWN_CERTIFICATE) =>
    `set ${certificateSettings} to a certificate that the server accepts: signed by its authority, and not expired or revoked`,
};
const noTls: Kind = {
  what: 'what answers at the port does not speak TLS',
  cure: () => 'use the port for TLS, or an address without TLS',
};
const noCommonVersion: Kind = {
  what: 'server and client have no version or cipher of TLS in common',
  cure: () => 'allow TLS 1.2 or 1.3 on the server; a missing client certificate may be refused in this way, too',
};
const handshake: Kind = {
  what: 'the TLS connection could not be made',
  cure: () => 'make sure that the port speaks TLS, and read the log of the server',
};

const KINDS: Readonly<Record<string, Kind>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownAuthority,
  SELF_SIGNED_CERT_IN_CHAIN: unknownAuthority,
  DEPTH_ZERO_SELF_SIGNED_CERT: unknownAuthority,
  CERT_UNTRUSTED: unknownAuthority,
  CERT_SIGNATURE_FAILURE: unknownAuthority,
  ERR_TLS_CERT_ALTNAME_INVALID: wrongName,
  HOSTNAME_MISMATCH: wrongName,
  CERT_HAS_EXPIRED: outOfDate,
  CERT_NOT_YET_VALID: outOfDate,
  CERT_REVOKED: unusable,
  CERT_REJECTED: unusable,
  INVALID_CA: unusable,
  INVALID_PURPOSE: unusable,
  PATH_LENGTH_EXCEEDED: unusable,
  CERT_CHAIN_TOO_LONG: unusable,
  ERR_SSL_EE_KEY_TOO_SMALL: unusable,
  ERR_SSL_CA_KEY_TOO_SMALL: unusable,
  ERR_SSL_CA_MD_TOO_WEAK: unusable,
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: ownRequired,
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: ownRefused,
  ERR_SSL_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE: ownRefused,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: ownRefused,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED: ownRefused,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: ownRefused,
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: ownRefused,
  ERR_SSL_TLSV1_ALERT_ACCESS_DENIED: ownRefused,
  ERR_SSL_WRONG_VERSION_NUMBER: noTls,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: noTls,
  ERR_SSL_HTTP_REQUEST: noTls,
  ERR_SSL_UNSUPPORTED_PROTOCOL: noCommonVersion,
  ERR_SSL_NO_PROTOCOLS_AVAILABLE: noCommonVersion,
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: noCommonVersion,
  ERR_SSL_TLSV1_ALERT_INSUFFICIENT_SECURITY: noCommonVersion,
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: noCommonVersion,
  ERR_TLS_HANDSHAKE_TIMEOUT: handshake,
};

/** Node says so, with the code of a lost connection, when the other side closes it during the handshake. */
const CLOSED_DURING_HANDSHAKE = /before secure TLS connection was established/;
/** OpenSSL's text, where an error has no code of its own: `...:SSL routines:...:tlsv13 alert certificate required:...`. */
const OPENSSL_TEXT = /:SSL routines:/;

/** The TLS failure that this error, or one of its causes, is; undefined for any other error. */
export function tlsFailure(error: unknown): TlsFailure | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const kind = KINDS[code] ?? (isHandshakeFailure(code, error.message) ? handshake : undefined);
  if (kind === undefined) return tlsFailure(error.cause);
  return { reason: `${kind.what} (${code})`, cure: kind.cure };
}

const isHandshakeFailure = (code: string, message: string): boolean =>
  code.startsWith('ERR_SSL_') || OPENSSL_TEXT.test(message) || CLOSED_DURING_HANDSHAKE.test(message);
