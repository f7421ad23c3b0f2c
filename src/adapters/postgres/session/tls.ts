/**
 * The TLS parameters of a PostgreSQL address, with the meaning that libpq gives them. The driver is not given them, because
 * it gives some another meaning, ignores a word that it does not know, and throws in the middle of its pool's work when a
 * file is missing. What the driver cannot do as libpq does is refused by name.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { ConfigurationError, messageOf } from '../../../domain/errors.js';
import type { PostgresAddress } from '../../../domain/postgres-address.js';

const MODES = ['disable', 'require', 'verify-ca', 'verify-full'] as const;
type Mode = (typeof MODES)[number];

/** How a connection is encrypted; false: not at all, also where PGSSLMODE asks the driver for it. */
export type TlsOptions = ConnectionOptions | false;

export interface DatabaseTls {
  /**
   * Reads the certificate files again for each connection, so that a renewed client certificate or authority is used
   * without a restart. A file that cannot be used at that moment is taken as it last was.
   */
  readonly currentTls: () => TlsOptions;
  readonly sslnegotiation?: 'postgres' | 'direct';
}

/** What `sslmode=require` without an authority leaves open, as in libpq. */
export const UNVERIFIED = {
  what: "encrypted, but without a check of the server's certificate",
  cure: 'write sslmode=verify-full and sslrootcert into DATABASE_URL, so that no other server can take its place',
};

export const isUnverified = (ssl: ConnectionOptions | boolean | undefined): boolean =>
  typeof ssl === 'object' && ssl.rejectUnauthorized === false;

type Parameters = ReadonlyMap<string, string>;

const FILES = ['sslrootcert', 'sslcert', 'sslkey'] as const;
type FileName = (typeof FILES)[number];
const OTHERS = ['sslmode', 'ssl', 'sslnegotiation', 'uselibpqcompat'];

/**
 * What the TLS parameters of an address ask for. No network is between a Unix socket and its server, so it has no TLS.
 * Throws a `ConfigurationError` for what cannot be carried out as it is written, unusable files included.
 */
export function databaseTls({ kind, tls }: Pick<PostgresAddress, 'kind' | 'tls'>): DatabaseTls {
  const parameters = new Map(Object.entries(tls));
  if (kind === 'socket' || parameters.size === 0) return { currentTls: () => false };
  const mode = modeOf(parameters);
  const readTls = mode === 'disable' ? () => false as const : () => readFiles(mode, parameters);
  let last: TlsOptions = readTls();
  const negotiation = negotiationOf(parameters, mode);
  return {
    currentTls: () => {
      try {
        last = readTls();
      } catch (error) {
        if (!(error instanceof ConfigurationError)) throw error;
      }
      return last;
    },
    ...(negotiation === undefined ? {} : { sslnegotiation: negotiation }),
  };
}

function modeOf(parameters: Parameters): Mode {
  for (const [name, value] of parameters) {
    if (![...FILES, ...OTHERS].includes(name)) {
      refuse(`has ${name}, which this service cannot carry out; allowed: sslmode, ${FILES.join(', ')}, sslnegotiation`);
    }
    if (name === 'ssl' && value !== 'true') refuse(`has ssl=${value}; write sslmode=disable for no TLS`);
    if (name === 'uselibpqcompat' && value !== 'true') {
      refuse('has uselibpqcompat; sslmode always has the meaning of libpq here: leave it out');
    }
  }
  const word = parameters.get('sslmode') ?? (parameters.has('ssl') ? 'require' : undefined);
  if (word === undefined) refuse(`has ${[...parameters.keys()].join(', ')} without sslmode; add sslmode=verify-full`);
  const mode = MODES.find((each) => each === word);
  if (mode !== undefined) return mode;
  const why =
    word === 'allow' || word === 'prefer' ? ', which may end without TLS, and the driver cannot try both ways' : '';
  return refuse(`has sslmode=${JSON.stringify(word)}${why}; allowed: ${MODES.join(', ')}`);
}

function negotiationOf(parameters: Parameters, mode: Mode): DatabaseTls['sslnegotiation'] {
  const word = parameters.get('sslnegotiation');
  if (word === 'direct' && mode === 'disable') refuse('has sslnegotiation=direct with sslmode=disable; leave one out');
  if (word === undefined || word === 'postgres' || word === 'direct') return word;
  return refuse(`has sslnegotiation=${JSON.stringify(word)}; allowed: postgres, direct`);
}

function readFiles(mode: Exclude<Mode, 'disable'>, parameters: Parameters): ConnectionOptions {
  const own = readOwnCertificate(parameters);
  const root = parameters.get('sslrootcert');
  if (root === 'system' && mode !== 'verify-full') {
    refuse(
      `has sslrootcert=system with sslmode=${mode}; any host can get such a certificate: write sslmode=verify-full`,
    );
  }
  if (root === undefined && mode === 'verify-ca') {
    refuse('has sslmode=verify-ca without sslrootcert; name the file with the certificate of the authority');
  }
  const ca = root === undefined || root === 'system' ? undefined : readPem('sslrootcert', root, checkAuthorities);
  if (mode === 'require' && ca === undefined) return { ...own, rejectUnauthorized: false };
  // libpq gives "require" with an authority the meaning of "verify-ca": the host's name is not compared.
  const anyName = mode === 'verify-full' ? {} : { checkServerIdentity: () => undefined };
  return { ...own, ...anyName, ...(ca === undefined ? {} : { ca }) };
}

function readOwnCertificate(parameters: Parameters): ConnectionOptions {
  const [certPath, keyPath] = [parameters.get('sslcert'), parameters.get('sslkey')];
  if (certPath === undefined && keyPath === undefined) return {};
  if (certPath === undefined || keyPath === undefined) refuse('has one of sslcert and sslkey; each needs the other');
  const cert = readPem('sslcert', certPath, (text) => new X509Certificate(text));
  const key = readPem('sslkey', keyPath, (text) => createPrivateKey(text));
  if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) {
    refuse(`has sslkey=${JSON.stringify(keyPath)}, which is not the key of the certificate in sslcert`);
  }
  return { cert, key };
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Node ignores what it cannot read in such a file; then no server would be trusted, without a reason. */
function checkAuthorities(text: string): void {
  const certificates = text.match(CERTIFICATE) ?? [text];
  for (const certificate of certificates) void new X509Certificate(certificate);
}

function readPem(name: FileName, path: string, check: (text: string) => unknown): string {
  const file = `has ${name}=${JSON.stringify(path)}, which`;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    return refuse(`${file} cannot be read: ${messageOf(error)}`, error);
  }
  try {
    check(text);
    return text;
  } catch (error) {
    const what = name === 'sslkey' ? 'a private key in PEM form without a passphrase' : 'a certificate in PEM form';
    return refuse(`${file} is not ${what}`, error);
  }
}

function refuse(what: string, cause?: unknown): never {
  throw new ConfigurationError(`DATABASE_URL ${what}`, { cause });
}
