import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { databaseTls, isUnverified } from '../../../../../src/adapters/postgres/session/tls.js';
import { ConfigurationError } from '../../../../../src/domain/errors.js';

const tlsOf = (query: string) => databaseTls({ kind: 'network', tls: Object.fromEntries(new URLSearchParams(query)) });

describe('the TLS parameters of an address', () => {
  test.each<readonly [string, unknown]>([
    ['', false],
    ['sslmode=disable', false],
    ['sslmode=disable&sslrootcert=/nowhere/ca.pem', false],
    ['sslmode=require', { rejectUnauthorized: false }],
    ['ssl=true', { rejectUnauthorized: false }],
    ['sslmode=require&uselibpqcompat=true', { rejectUnauthorized: false }],
    ['sslmode=verify-full', {}],
    ['sslmode=verify-full&sslrootcert=system', {}],
    ['ssl=true&sslmode=verify-full', {}],
  ])('"%s" means to the driver: %j', (query, options) => {
    expect(tlsOf(query).currentTls()).toEqual(options);
  });

  test('only a connection whose certificate is not checked counts as unverified', () => {
    expect(
      ['sslmode=require', 'sslmode=verify-full', 'sslmode=disable', ''].map((query) =>
        isUnverified(tlsOf(query).currentTls()),
      ),
    ).toEqual([true, false, false, false]);
  });

  test('a Unix socket has no encryption', () => {
    expect(databaseTls({ kind: 'socket', tls: { sslmode: 'verify-full' } }).currentTls()).toBe(false);
  });

  test('the way to begin the encryption is passed on', () => {
    expect(tlsOf('sslmode=require&sslnegotiation=direct')).toMatchObject({ sslnegotiation: 'direct' });
  });
});

describe('TLS parameters that are refused at the start', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tls-files-'));
    writeFileSync(join(folder, 'text.pem'), 'not a certificate');
    writeFileSync(join(folder, 'broken.pem'), '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
  });
  afterAll(() => rm(folder, { recursive: true }));

  const MODES = 'allowed: disable, require, verify-ca, verify-full';

  test.each([
    ['sslmode=bogus', `has sslmode="bogus"; ${MODES}`],
    ['sslmode=', `has sslmode=""; ${MODES}`],
    ['sslmode=no-verify', `has sslmode="no-verify"; ${MODES}`],
    ['sslmode=VERIFY-FULL', `has sslmode="VERIFY-FULL"; ${MODES}`],
    [
      'sslmode=prefer',
      `has sslmode="prefer", which may end without TLS, and the driver cannot try both ways; ${MODES}`,
    ],
    ['sslmode=allow', `has sslmode="allow", which may end without TLS, and the driver cannot try both ways; ${MODES}`],
    [
      'sslmode=verify-ca',
      'has sslmode=verify-ca without sslrootcert; name the file with the certificate of the authority',
    ],
    ['sslrootcert=/ca.pem&sslkey=/k.pem', 'has sslrootcert, sslkey without sslmode; add sslmode=verify-full'],
    ['sslmode=require&sslcert=/c.pem', 'has one of sslcert and sslkey; each needs the other'],
    ['sslmode=require&sslkey=/k.pem', 'has one of sslcert and sslkey; each needs the other'],
    [
      'sslmode=verify-full&sslcrl=/crl.pem',
      'has sslcrl, which this service cannot carry out; allowed: sslmode, sslrootcert, sslcert, sslkey, sslnegotiation',
    ],
    ['ssl=0', 'has ssl=0; write sslmode=disable for no TLS'],
    [
      'sslmode=require&uselibpqcompat=false',
      'has uselibpqcompat; sslmode always has the meaning of libpq here: leave it out',
    ],
    ['sslmode=require&sslnegotiation=fast', 'has sslnegotiation="fast"; allowed: postgres, direct'],
    ['sslmode=disable&sslnegotiation=direct', 'has sslnegotiation=direct with sslmode=disable; leave one out'],
    [
      'sslmode=require&sslrootcert=system',
      'has sslrootcert=system with sslmode=require; any host can get such a certificate: write sslmode=verify-full',
    ],
    ['sslmode=verify-full&sslrootcert=FOLDER/none.pem', /has sslrootcert=".*none\.pem", which cannot be read: ENOENT/],
    ['sslmode=verify-full&sslrootcert=FOLDER', /has sslrootcert=".*", which cannot be read: EISDIR/],
    [
      'sslmode=verify-full&sslrootcert=FOLDER/text.pem',
      /has sslrootcert=".*text\.pem", which is not a certificate in PEM form/,
    ],
    [
      'sslmode=verify-full&sslrootcert=FOLDER/broken.pem',
      /has sslrootcert=".*broken\.pem", which is not a certificate in PEM form/,
    ],
    [
      'sslmode=require&sslcert=FOLDER/text.pem&sslkey=FOLDER/text.pem',
      /has sslcert=".*text\.pem", which is not a certificate in PEM form/,
    ],
  ])('"%s" is refused by name', (query, message) => {
    const read = (): unknown => tlsOf(query.replaceAll('FOLDER', folder));
    expect(read).toThrow(ConfigurationError);
    expect(read).toThrow(message);
    expect(read).toThrow(/^DATABASE_URL has /);
  });
});
