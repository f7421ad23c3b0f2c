import { isIP } from 'node:net';
import type { RedisOptions } from 'ioredis';
import type { RedisAddress } from '../../domain/redis-address.js';

/** TLS options of a connection; the files behind them are read again for each connection. */
export type TlsOptions = NonNullable<RedisOptions['tls']>;

/** The constructor of ioredis takes `replyMapping` left out, but not undefined. */
export type ClientOptions = Omit<RedisOptions, 'replyMapping'>;

type OneServer = Extract<RedisAddress, { kind: 'server' | 'socket' }>;

/** Where an ioredis client connects, and as whom. `tls` is used where the address asks for TLS. */
export function clientOptions(address: OneServer, tls: TlsOptions): ClientOptions {
  const { login, database: db } = address;
  const who = login === null ? {} : { username: login.username ?? undefined, password: login.password };
  if (address.kind === 'socket') return { path: address.socketPath, db, ...who };
  const { host, port } = address;
  return { host, port, db, ...who, ...(address.tls && { tls: withServerName(tls, host) }) };
}

/** Servers behind one address are told apart by the name that the client asks for; an IP address cannot be asked for. */
function withServerName(tls: TlsOptions, host: string): TlsOptions {
  return isIP(host) === 0 ? Object.defineProperties({ servername: host }, Object.getOwnPropertyDescriptors(tls)) : tls;
}
