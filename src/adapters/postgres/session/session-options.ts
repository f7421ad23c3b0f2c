/** How every connection of this program is opened: the address, in the form of the driver, and the settings of a session. */
import { userInfo } from 'node:os';
import { Client, type ClientConfig } from 'pg';
import { ConfigurationError } from '../../../domain/errors.js';
import { parsePostgresAddress, type PostgresAddress } from '../../../domain/postgres-address.js';
import { createOpenSockets, type OpenSockets } from './open-sockets.js';
import { startupOptions } from './session-settings.js';
import { databaseTls, type TlsOptions } from './tls.js';

/** For a `SessionClient`. A pool passes its options on to its clients, so these may be among them. */
export interface SessionConfig extends ClientConfig {
  /** Asked for each new connection, because certificates may have been renewed. */
  readonly currentTls?: () => TlsOptions;
  /** To a pool the driver's own setting is also the wait for a connection that is in use. */
  readonly connectTimeoutMs?: number;
  /** Those that are given up together. */
  readonly sockets?: OpenSockets;
}

const CONNECT_TIMEOUT_MS = 5_000;

export function sessionOptions(connectionString: string, applicationName: string): SessionConfig {
  const address = addressOf(connectionString);
  const { currentTls, ...negotiation } = databaseTls(address);
  return {
    ...clientAddress(address),
    application_name: address.applicationName ?? applicationName,
    // What comes last wins, so the address cannot change a setting that this program needs.
    options: `${address.options} ${startupOptions()}`.trimStart(),
    keepAlive: true,
    ...negotiation,
    ssl: currentTls(),
    currentTls,
    connectTimeoutMs: address.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    sockets: createOpenSockets(),
  };
}

/** What the driver is given for one connection. A pool hides the password from enumeration, and so from the spread. */
export function driverConfig(config: SessionConfig): ClientConfig {
  const { password, currentTls, connectTimeoutMs } = config;
  return {
    ...config,
    password,
    ...(currentTls === undefined ? {} : { ssl: currentTls() }),
    ...(connectTimeoutMs === undefined ? {} : { connectionTimeoutMillis: connectTimeoutMs }),
  };
}

/** Reads an address that is given as text. Settings refuse the same text at the start, so this is for other callers. */
export function addressOf(text: string): PostgresAddress {
  const address = parsePostgresAddress(text);
  if (address.kind === 'invalid') throw new ConfigurationError(`DATABASE_URL cannot be used: ${address.why}`);
  return address;
}

/**
 * The address as the fields of the driver, so that the driver need not parse the text by rules of its own. It takes what
 * is missing from PGHOST, PGPORT, PGUSER, PGPASSWORD and PGDATABASE; what the address names is never replaced by them.
 */
function clientAddress(address: PostgresAddress): ClientConfig {
  const { host, port, user, password, database, bindsChannel } = address;
  return {
    ...(host === null ? {} : { host }),
    ...(port === null ? {} : { port }),
    user: user ?? defaultUser(),
    ...(password === null ? {} : { password }),
    ...(database === null ? {} : { database }),
    ...(bindsChannel ? { enableChannelBinding: true } : {}),
  };
}

/** PGUSER or, as the driver has it, USER; else the user of this process, who may have no name in a container. */
function defaultUser(): string {
  const known = new Client({}).user;
  if (known !== undefined) return known;
  try {
    return userInfo().username;
  } catch (cause) {
    throw new ConfigurationError(
      'DATABASE_URL names no user, and the user of this process has no name on this system; ' +
        'write the user into DATABASE_URL, or set PGUSER',
      { cause },
    );
  }
}
