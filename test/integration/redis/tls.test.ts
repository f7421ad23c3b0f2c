/** Redis with TLS and an authority of its own, whose certificates are made by the commands of `docs/operations.md`. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../../scripts/services/free-port.mjs';
import { connectRedis } from '../../../src/app/connect/redis.js';
import { oneShotContext } from '../../../src/app/context.js';
import { checkDependencies } from '../../../src/app/doctor/doctor.js';
import { createShutdownStack } from '../../../src/app/shutdown-stack.js';
import { eventually } from '../../support/eventually.js';
import { createMigratedDatabase, type TestDatabase } from '../../support/postgres/database.js';
import { startRedis, type TestRedis } from '../../support/redis.js';
import { type EmptyEngine, type Environment, sessionOf, start, startEmptyEngine } from './redis-world.js';

let folder: string;
let server: TestRedis;
let tlsPort: number;
/** Beside TLS, so that it needs no certificate. */
let admin: Redis;

const file = (name: string): string => join(folder, name);
const run = (command: string): void => void execFileSync('sh', ['-c', command], { cwd: folder, stdio: 'ignore' });

/** Makes the documented certificates, and some that do not fit. */
function makeCertificates(): void {
  const page = readFileSync(new URL('../../../docs/operations.md', import.meta.url), 'utf8');
  const [, block = ''] = /<!-- redis certificates -->([\s\S]*?)<!-- \/redis/.exec(page) ?? [];
  for (const [, command = ''] of block.matchAll(/^\$ (openssl .*)$/gm)) run(command);
  const sign = (request: string, more: string): string =>
    `openssl x509 -req -in ${request} -CA ca.pem -CAkey ca.key -CAcreateserial ${more}`;
  run(sign('server.csr', '-days 0 -copy_extensions copy -out expired.pem'));
  run(sign('client.csr', '-days 9 -out other-name.pem'));
  run(`openssl req -x509 -key server.key -days 9 -subj '/CN=x' -addext 'subjectAltName=IP:127.0.0.1' -out self.pem`);
  run(`openssl x509 -req -in client.csr -CA self.pem -CAkey server.key -CAcreateserial -days 9 -out other-client.pem`);
  copyFileSync(file('client.key'), file('other-name.key'));
}

/** Changes the server's certificate and closes every connection, as after a renewal. */
async function serveWith(certificate: string, key = 'server.key', clients: 'yes' | 'no' = 'no'): Promise<void> {
  const settings = { 'tls-cert-file': file(certificate), 'tls-key-file': file(key), 'tls-auth-clients': clients };
  await admin.config('SET', ...Object.entries(settings).flat());
  await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
}

const CA = { REDIS_TLS_CA_FILE: 'ca.pem' };
const OWN = { REDIS_TLS_CERT_FILE: 'client.pem', REDIS_TLS_KEY_FILE: 'client.key' };
const tlsUrl = (): string => `rediss://127.0.0.1:${tlsPort}`;
const inFolder = (files: Environment): Environment =>
  Object.fromEntries(Object.entries(files).map(([name, path]) => [name, path.startsWith('/') ? path : file(path)]));

/** Connects once, as every process does at its start. */
async function connect(environment: Environment): Promise<string> {
  const session = sessionOf({ REDIS_URL: tlsUrl(), ...environment });
  const closing = createShutdownStack(session.log);
  try {
    const redis = await connectRedis({ ...oneShotContext(session), patienceMs: 0 }, 'commands', closing);
    return await redis.ping();
  } finally {
    await closing.closeAll();
  }
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'runtime-cleanup-tls-'));
  makeCertificates();
  tlsPort = await freePort();
  server = await startRedis({
    settings: {
      'tls-port': String(tlsPort),
      'tls-cert-file': file('server.pem'),
      'tls-key-file': file('server.key'),
      'tls-ca-cert-file': file('ca.pem'),
      'tls-auth-clients': 'yes',
    },
  });
  admin = new Redis(server.url);
});
afterAll(async () => {
  admin.disconnect();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('a connection to Redis with TLS', () => {
  test('the documented certificates and settings make a connection, where the server requires a client certificate', async () => {
    await serveWith('server.pem', 'server.key', 'yes');
    expect(await connect(inFolder({ ...CA, ...OWN }))).toBe('PONG');
  });

  const names = 'REDIS_TLS_CERT_FILE and REDIS_TLS_KEY_FILE';
  test.each([
    [
      'no authority is given',
      ['server.pem'],
      {},
      /not signed by an authority .*SELF_SIGNED_CERT_IN_CHAIN.*set REDIS_TLS_CA_FILE/,
    ],
    [
      'the certificate is self-signed',
      ['self.pem'],
      CA,
      /not signed by an authority .*SELF_SIGNED.*set REDIS_TLS_CA_FILE/,
    ],
    ['the certificate has expired', ['expired.pem'], CA, /has expired .*renew the certificate/],
    [
      'the certificate names another host',
      ['other-name.pem', 'other-name.key'],
      CA,
      /for another host .*as the certificate names it/,
    ],
    [
      'no client certificate is given',
      ['server.pem', 'server.key', 'yes'],
      CA,
      new RegExp(`requires a client certificate .*set ${names}`),
    ],
    [
      'the client certificate is of another authority',
      ['server.pem', 'server.key', 'yes'],
      { ...CA, REDIS_TLS_CERT_FILE: 'other-client.pem', REDIS_TLS_KEY_FILE: 'client.key' },
      /does not accept the client certificate/,
    ],
  ] as const)('the connection fails and names the cure when %s', async (_situation, served, files, message) => {
    const [certificate, key, clients] = served;
    await serveWith(certificate, key, clients);
    await expect(connect(inFolder(files))).rejects.toThrow(message);
  });

  test('an address with the wrong scheme for its port stops the start and names the right one', async () => {
    await serveWith('server.pem', 'server.key', 'yes');
    await expect(connect({ REDIS_URL: `redis://127.0.0.1:${tlsPort}` })).rejects.toThrow(
      /speaks TLS; allowed there: rediss:/,
    );
    await expect(connect({ REDIS_URL: `rediss://127.0.0.1:${server.port}` })).rejects.toThrow(
      /speaks no TLS; allowed there: redis:/,
    );
  });

  test.each([
    [
      { REDIS_TLS_CA_FILE: '/no/ca.pem' },
      /^REDIS_TLS_CA_FILE: "\/no\/ca\.pem" cannot be read: ENOENT.*allowed: a file with/,
    ],
    [{ REDIS_TLS_CA_FILE: 'ca.key' }, /^REDIS_TLS_CA_FILE: ".*ca\.key" has no certificate; allowed: a file with/],
    [
      { REDIS_TLS_CA_FILE: 'torn.pem' },
      /^REDIS_TLS_CA_FILE: ".*torn\.pem" has a certificate that cannot be read: .*allowed: /,
    ],
    [
      { ...OWN, REDIS_TLS_KEY_FILE: 'ca.pem' },
      /^REDIS_TLS_KEY_FILE: ".*ca\.pem" has no usable key: .*without a passphrase/,
    ],
    [
      { ...OWN, REDIS_TLS_KEY_FILE: 'server.key' },
      /^REDIS_TLS_CERT_FILE: .*cannot be used together: .*key that belongs to it/,
    ],
  ])('files that cannot be used refuse the start: %o', async (files, message) => {
    writeFileSync(file('torn.pem'), '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n');
    await expect(connect(inFolder(files))).rejects.toThrow(message);
  });
});

describe('a service on Redis with TLS', () => {
  let database: TestDatabase;
  let db: Client;
  let engine: EmptyEngine;

  beforeAll(async () => {
    [database, engine] = await Promise.all([createMigratedDatabase(), startEmptyEngine()]);
    db = new Client({ connectionString: database.url });
    await db.connect();
  });
  afterAll(async () => {
    await db.end();
    engine.close();
    await database.drop();
  });

  const environmentWith = (caFile: string): Environment => ({
    DATABASE_URL: database.url,
    DOCKER_HOST: engine.url,
    REDIS_URL: tlsUrl(),
    REDIS_TLS_CA_FILE: file(caFile),
  });

  test('a certificate that changes under a running service holds its jobs until the new authority is in the file', async () => {
    await serveWith('server.pem');
    copyFileSync(file('ca.pem'), file('live.pem'));
    const { origin, lines, stop } = await start('serve', environmentWith('live.pem'));
    const readiness = async (): Promise<number> => (await fetch(`${origin}/readyz`)).status;
    await eventually(async () => expect(await readiness()).toBe(200));
    await serveWith('self.pem');
    const games = ['a', 'b', 'c'];
    await db.query(
      `INSERT INTO runtime_records (game_id, status, stopped_at, last_op_at, created_at)
       SELECT unnest($1::text[]), 'stopped', now(), now(), now()`,
      [games],
    );
    const KEY = '{rtmanager}:runtime-cleanup';
    for (const [index, gameId] of games.entries()) {
      const id = index + 1;
      const job = { name: 'cleanup_container', data: JSON.stringify({ gameId, opSource: 'admin_rest' }), opts: '{}' };
      await admin.hset(`${KEY}:${id}`, { ...job, timestamp: Date.now(), delay: 0, priority: 0 });
      await admin.lpush(`${KEY}:wait`, id);
    }
    await admin.zadd(`${KEY}:marker`, 0, '0');
    await eventually(async () => expect(await readiness()).toBe(503));
    await eventually(() =>
      expect(lines).toContainEqual(
        expect.objectContaining({ msg: 'queue store unavailable', reason: expect.stringContaining('not signed by') }),
      ),
    );
    // A half-written file: the authorities read before are still used.
    writeFileSync(file('live.pem'), '-----BEGIN CERTI');
    await eventually(() =>
      expect(lines.map(({ reason }) => reason)).toContainEqual(expect.stringContaining('has no certificate')),
    );
    copyFileSync(file('self.pem'), file('live.pem'));
    await eventually(async () => expect(await readiness()).toBe(200), { withinMs: 20_000 });
    await eventually(async () => {
      const { rows } = await db.query(`SELECT game_id FROM runtime_records WHERE status = 'removed' ORDER BY 1`);
      expect(rows.map(({ game_id }) => game_id as string)).toEqual(games);
    });
    expect(await admin.zcard(`${KEY}:failed`)).toBe(0);
    expect((await db.query(`SELECT 1 FROM operation_log WHERE error_code = 'internal_error'`)).rowCount).toBe(0);
    await stop();
  });

  test('the doctor says what is wrong with the certificate, and does not advise to start Redis', async () => {
    await serveWith('expired.pem');
    const found = [];
    for await (const check of checkDependencies({
      ...oneShotContext(sessionOf(environmentWith('ca.pem'))),
      patienceMs: 0,
    })) {
      if (check.name === 'redis') found.push(check);
    }
    expect(found).toEqual([
      {
        name: 'redis',
        status: 'failed',
        detail: expect.stringMatching(/has expired .*renew the certificate of the server/),
      },
    ]);
  });
});
