import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContext } from 'node:tls';
import { ConfigurationError, messageOf } from '../../domain/errors.js';
import type { TlsOptions } from './client-options.js';

/** The paths in the settings; null: not set. */
export interface RedisTlsFiles {
  /** Null: the authorities that Node knows. */
  readonly caFile: string | null;
  readonly certFile: string | null;
  readonly keyFile: string | null;
}

/**
 * The TLS options of every connection to Redis. The files are read again at each new connection, so that a renewed
 * certificate is used without a restart. While they cannot be used, in the middle of a renewal, the ones read before
 * serve; `report` is told once why. Do not copy the object with `...`: that would read the files once only.
 *
 * @throws ConfigurationError that names the setting, its path and what is allowed, if the files cannot be used at first
 */
export function createTlsOptions(files: RedisTlsFiles, report: (error: Error) => void = () => undefined): TlsOptions {
  let usable = readContext(files);
  let reported = '';
  return {
    get secureContext(): SecureContext {
      try {
        usable = readContext(files);
        reported = '';
      } catch (error) {
        if (error instanceof Error && error.message !== reported) {
          reported = error.message;
          report(error);
        }
      }
      return usable;
    },
  };
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function readContext({ caFile, certFile, keyFile }: RedisTlsFiles): SecureContext {
  const ca = caFile === null ? undefined : readCertificates('REDIS_TLS_CA_FILE', caFile);
  if (certFile === null || keyFile === null) return createSecureContext({ ca });
  const cert = readCertificates('REDIS_TLS_CERT_FILE', certFile);
  const key = readKey(keyFile);
  try {
    return createSecureContext({ ca, cert, key });
  } catch (cause) {
    const allowed = 'a certificate, followed by those of its authorities, and the key that belongs to it';
    const shown = `${JSON.stringify(certFile)} and REDIS_TLS_KEY_FILE ${JSON.stringify(keyFile)}`;
    throw new ConfigurationError(
      `REDIS_TLS_CERT_FILE: ${shown} cannot be used together: ${messageOf(cause)}; allowed: ${allowed}`,
      { cause },
    );
  }
}

function readCertificates(name: string, path: string): string {
  const allowed = 'a file with one or more certificates in PEM form';
  const text = read(name, path, allowed);
  try {
    const certificates = text.match(CERTIFICATE) ?? [];
    if (certificates.map((certificate) => new X509Certificate(certificate)).length > 0) return text;
  } catch (cause) {
    throw new ConfigurationError(
      `${name}: ${JSON.stringify(path)} has a certificate that cannot be read: ${messageOf(cause)}; allowed: ${allowed}`,
      { cause },
    );
  }
  throw new ConfigurationError(`${name}: ${JSON.stringify(path)} has no certificate; allowed: ${allowed}`);
}

function readKey(path: string): string {
  const allowed = 'a file with the private key in PEM form, without a passphrase';
  const text = read('REDIS_TLS_KEY_FILE', path, allowed);
  try {
    createPrivateKey(text);
    return text;
  } catch (cause) {
    throw new ConfigurationError(
      `REDIS_TLS_KEY_FILE: ${JSON.stringify(path)} has no usable key: ${messageOf(cause)}; allowed: ${allowed}`,
      { cause },
    );
  }
}

function read(name: string, path: string, allowed: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new ConfigurationError(
      `${name}: ${JSON.stringify(path)} cannot be read: ${messageOf(cause)}; allowed: ${allowed}`,
      { cause },
    );
  }
}
