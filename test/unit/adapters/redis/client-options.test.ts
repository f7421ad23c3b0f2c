import { expect, it } from 'vitest';
import { type ClientOptions, clientOptions } from '../../../../src/adapters/redis/client-options.js';
import { parseRedisAddress } from '../../../../src/domain/redis-address.js';

const TLS = { rejectUnauthorized: true };

function optionsOf(text: string, tls = TLS): ClientOptions {
  const address = parseRedisAddress(text);
  if (address.kind !== 'server' && address.kind !== 'socket') throw new Error(`${text} is ${address.kind}`);
  return clientOptions(address, tls);
}

it.each<readonly [string, ClientOptions]>([
  ['redis://cache', { host: 'cache', port: 6379, db: 0 }],
  ['redis://:secret@cache:1/2', { host: 'cache', port: 1, db: 2, username: undefined, password: 'secret' }],
  ['redis://app:secret@[::1]', { host: '::1', port: 6379, db: 0, username: 'app', password: 'secret' }],
  ['unix:///run/r.sock?db=3', { path: '/run/r.sock', db: 3 }],
  ['unix://app:@/run/r.sock', { path: '/run/r.sock', db: 0, username: 'app', password: '' }],
  ['rediss://cache', { host: 'cache', port: 6379, db: 0, tls: { ...TLS, servername: 'cache' } }],
  ['rediss://10.0.0.5', { host: '10.0.0.5', port: 6379, db: 0, tls: TLS }],
  ['rediss://[::1]', { host: '::1', port: 6379, db: 0, tls: TLS }],
])('the client for %s gets the parts of the address', (text, expected) => {
  expect(optionsOf(text)).toEqual(expected);
});

it('the options of TLS are still read anew for each connection when the name of the server is added', () => {
  let reads = 0;
  const tls = {
    rejectUnauthorized: true,
    get ca(): string {
      reads += 1;
      return `authority ${reads}`;
    },
  };
  const options = optionsOf('rediss://cache', tls);
  expect([{ ...options.tls }, { ...options.tls }]).toMatchObject([{ ca: 'authority 1' }, { ca: 'authority 2' }]);
});
