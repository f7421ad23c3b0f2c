import { userInfo } from 'node:os';
import { Client, type ClientConfig } from 'pg';
import { ConfigurationError } from '../../domain/errors.js';
import { parsePostgresAddress, type PostgresAddress } from '../../domain/postgres-address.js';

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
export function clientAddress(address: PostgresAddress): ClientConfig {
  const { host, port, user, password, database, bindsChannel } = address;
  return {
    ...(host === null ? {} : { host }),
    ...(port === null ? {} : { port }),
    user: user ?? defaultUser(),
    ...(password === null ? {} : { password }),
    ...(database === null ? {} : { database }),
    ...tlsOf(address),
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

/** Read by the driver from the parameters of the address. No network is between a socket and its server, so it has no TLS. */
function tlsOf({ kind, tls }: PostgresAddress): Pick<ClientConfig, 'ssl'> {
  if (kind === 'socket') return { ssl: false };
  const parameters = new URLSearchParams(tls);
  if (parameters.size === 0) return {};
  return { ssl: new Client({ connectionString: `postgresql://localhost?${parameters.toString()}` }).ssl };
}
