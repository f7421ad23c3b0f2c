import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createPostgresLeaseStore } from '../../../src/adapters/postgres/lease-store.js';
import { migrate } from '../../../src/adapters/postgres/migrations/migrate.js';
import { createPool } from '../../../src/adapters/postgres/pool.js';
import { databaseTls } from '../../../src/adapters/postgres/session/tls.js';
import { createPrisma } from '../../../src/adapters/prisma/client.js';
import { createRecordQueries } from '../../../src/adapters/prisma/record-queries.js';
import { UnavailableError } from '../../../src/domain/errors.js';
import { eventually } from '../../support/eventually.js';
import { type Certificate, createCertificateFolder } from '../../support/network/certificates.js';
import { type PostgresServer, startPostgres } from '../../support/postgres/postgres.js';
import { fileURLToPath } from 'node:url';

const migrationsDir = fileURLToPath(new URL('../../../prisma/migrations', import.meta.url));
const UNKNOWN_AUTHORITY = /authority that is known here .*; set sslrootcert in DATABASE_URL/;

const folder = createCertificateFolder();
let authority: Certificate;
let ownCertificate: Certificate;
let server: PostgresServer;

beforeAll(async () => {
  authority = await folder.make({ name: 'authority' });
  ownCertificate = await folder.make({ name: 'server', by: authority });
  server = await startPostgres({ certificate: ownCertificate });
  await migrate({ connectionString: server.url, migrationsDir });
});
afterAll(async () => {
  await server.stop();
  folder.remove();
});

const urlWith = (parameters: string): string => `${server.url}?${parameters}`;
const verifyFull = (): string => urlWith(`sslmode=verify-full&sslrootcert=${authority.cert}`);

function openPool(url: string) {
  const pool = createPool({ connectionString: url, applicationName: 'tls-tests', max: 3 }, () => undefined);
  onTestFinished(() => pool.end());
  return pool;
}

const encrypted = async (url: string): Promise<unknown> => {
  const { rows } = await openPool(url).query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
  return rows;
};

describe('a server with a certificate of a private authority', () => {
  test.each([
    ['disable', '', false],
    ['require', '', true],
    ['require', 'sslnegotiation=direct', true],
    ['require', 'sslrootcert=AUTHORITY', true],
    ['verify-ca', 'sslrootcert=AUTHORITY', true],
    ['verify-full', 'sslrootcert=AUTHORITY', true],
  ])('a connection with sslmode=%s and "%s" is made, encrypted: %s', async (mode, more, ssl) => {
    const url = urlWith(`sslmode=${mode}&${more.replace('AUTHORITY', authority.cert)}`);
    expect(await encrypted(url)).toEqual([{ ssl }]);
  });

  test.each(['verify-full', 'verify-full&sslrootcert=system'])(
    'the refusal of a connection with sslmode=%s names the cure',
    async (parameters) => {
      await expect(encrypted(urlWith(`sslmode=${parameters}`))).rejects.toThrow(UNKNOWN_AUTHORITY);
    },
  );

  test('a migration says the cure, too', async () => {
    const migrating = migrate({ connectionString: urlWith('sslmode=verify-full'), migrationsDir });
    await expect(migrating).rejects.toThrow(UNKNOWN_AUTHORITY);
    await expect(migrating).rejects.toBeInstanceOf(UnavailableError);
  });
});

const END = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tls-tests'`;

/** As an administrator, who is not asked for TLS. */
const endConnections = async (): Promise<void> => {
  const admin = new Client({ connectionString: server.url });
  await admin.connect();
  await admin.query(END);
  await admin.end();
};

describe('files that change under a running service', () => {
  const optionsOf = (parameters: Readonly<Record<string, string>>) =>
    databaseTls({ kind: 'network', tls: { sslmode: 'verify-full', ...parameters } });

  test('the files are read for each connection, and one that cannot be used is taken as it last was', async () => {
    const [first, second] = [await folder.make({ name: 'first' }), await folder.make({ name: 'second' })];
    const path = `${first.cert}.used`;
    await copyFile(first.cert, path);
    const { currentTls } = optionsOf({ sslrootcert: path });
    expect(currentTls()).toEqual({ ca: await readFile(first.cert, 'utf8') });
    await writeFile(path, 'half a certif');
    expect(currentTls()).toEqual({ ca: await readFile(first.cert, 'utf8') });
    await copyFile(second.cert, path);
    expect(currentTls()).toEqual({ ca: await readFile(second.cert, 'utf8') });
  });

  test('the key of another certificate is refused by name', () => {
    const parameters = { sslcert: ownCertificate.cert, sslkey: authority.key };
    expect(() => optionsOf(parameters)).toThrow(/sslkey=".*", which is not the key of the certificate in sslcert/);
    expect(optionsOf({ ...parameters, sslkey: ownCertificate.key }).currentTls()).toMatchObject({
      cert: expect.stringContaining('BEGIN CERTIFICATE'),
      key: expect.stringContaining('PRIVATE KEY'),
    });
  });
});

describe('a certificate that is exchanged under a running service', () => {
  test.each<readonly [string, Parameters<typeof folder.make>[0], RegExp]>([
    ['self-signed', { name: 'self-signed' }, UNKNOWN_AUTHORITY],
    ['expired', { name: 'expired', days: -1 }, /has expired or is not valid yet .*; renew the certificate/],
    [
      'made for another host',
      { name: 'elsewhere', hosts: 'DNS:elsewhere.example' },
      /for another host .*; write the host/,
    ],
  ])('leases and records are unavailable while it is %s, and recover with the right one', async (_what, wish, why) => {
    const pool = openPool(verifyFull());
    const prisma = createPrisma(pool);
    const { acquire } = createPostgresLeaseStore({ pool });
    const uses = (): readonly Promise<unknown>[] => [
      acquire('game-1', 'token', 1_000),
      createRecordQueries({ prisma }).findRecord('game-1'),
    ];
    await Promise.all(uses());
    server.useCertificate(await folder.make({ ...wish, ...(wish.name === 'self-signed' ? {} : { by: authority }) }));
    await eventually(async () => {
      await endConnections();
      for (const used of await Promise.allSettled(uses())) {
        expect(used).toMatchObject({ status: 'rejected', reason: expect.any(UnavailableError) });
        expect(used).toMatchObject({ reason: { message: expect.stringMatching(why) } });
      }
    });
    server.useCertificate(ownCertificate);
    await eventually(() => Promise.all(uses()));
    await prisma.$disconnect();
  });
});
