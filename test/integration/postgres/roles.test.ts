/** deploy/roles.sql, run with psql as an operator would, and a day's work of each role with exactly these rights. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { freePort } from '../../../scripts/services/free-port.mjs';
import { createCommandBackend } from '../../../src/app/command-backend.js';
import { systemClock } from '../../../src/async/clock.js';
import { runProgram } from '../../../src/cli/program.js';
import { createChanges } from '../../support/changes.js';
import { createTestContainers, type TestContainers } from '../../support/engine/test-containers.js';
import { createDatabase, type TestDatabase } from '../../support/postgres/database.js';
import { startRedis, type TestRedis } from '../../support/redis.js';

const ROLES_SQL = fileURLToPath(new URL('../../../deploy/roles.sql', import.meta.url));
const WITHIN_MS = 30_000;
const READING = ['records', 'log game-1', 'holds', 'engines list', 'sweep --dry-run', 'dead-letters list', 'verify'];

let redis: TestRedis;
let containers: TestContainers;
beforeAll(async () => {
  [redis, containers] = await Promise.all([startRedis(), createTestContainers(inject('engineSocket'))]);
});
afterAll(async () => {
  await containers.clear();
  await redis.stop();
});

type Kind = 'migrator' | 'worker' | 'api' | 'reader';

describe.each(['postgres', 'redis'] as const)('with the queue in %s', (queue) => {
  let database: TestDatabase;
  let admin: Client;
  let port: number;
  const suffix = randomBytes(4).toString('hex');
  const roleOf = (kind: Kind): string => `${kind}_${suffix}`;

  const urlOf = (kind: Kind): string => {
    const url = new URL(database.url);
    url.username = roleOf(kind);
    return url.href;
  };
  const applyRoles = () => {
    const names = (['migrator', 'worker', 'api', 'reader'] as const).flatMap((kind) => [
      '-v',
      `${kind}=${roleOf(kind)}`,
    ]);
    return promisify(execFile)('psql', [database.url, ...names, '-f', ROLES_SQL]);
  };

  beforeAll(async () => {
    database = await createDatabase();
    admin = new Client({ connectionString: database.url });
    await admin.connect();
    port = await freePort();
    await applyRoles();
  });
  afterAll(async () => {
    const names = (['worker', 'api', 'reader', 'migrator'] as const).map(roleOf).join(', ');
    await admin.query(`DROP OWNED BY ${names}`);
    await admin.end();
    await database.drop();
    await withAdmin(`DROP ROLE ${names}`);
  });
  const withAdmin = async (sql: string): Promise<void> => {
    const client = new Client({ connectionString: inject('postgresUrl') });
    await client.connect();
    await client.query(sql);
    await client.end();
  };

  /** Runs one command as this role; a service until it is stopped. */
  function run(kind: Kind, args: readonly string[]) {
    const signals = new EventEmitter();
    const changes = createChanges();
    let output = '';
    const write = (text: string): boolean => {
      output += text;
      changes.notify();
      return true;
    };
    const environment = {
      DATABASE_URL: urlOf(kind),
      DOCKER_HOST: `unix://${inject('engineSocket')}`,
      RTMANAGER_INTERNAL_HTTP_ADDR: `127.0.0.1:${port}`,
      ...(queue === 'redis' ? { REDIS_URL: redis.url } : {}),
    };
    const code = runProgram(args, {
      stdout: { write },
      stderr: { write },
      stdin: (async function* () {})(),
      environment,
      signals,
      clock: systemClock,
      exitNow: () => undefined,
      loadBackend: async () => createCommandBackend({ version: '1.2.3', metricsText: async () => '' }),
      version: '1.2.3',
    });
    return {
      code,
      output: () => output,
      wrote: (text: string) => changes.until(() => expect(output).toContain(text), { withinMs: WITHIN_MS }),
      stop: async () => {
        signals.emit('SIGTERM');
        await code;
      },
    };
  }
  const ended = async (kind: Kind, ...args: readonly string[]) => {
    const command = run(kind, args);
    return { code: await command.code, output: command.output() };
  };
  /** The database refuses nothing; what the command says of the game is not looked at here. */
  const mayRun = async (kind: Kind, ...args: readonly string[]): Promise<void> => {
    const { output } = await ended(kind, ...args);
    expect(output, `${kind}: ${args.join(' ')}`).not.toMatch(/permission denied|lacks|internal_error|must be owner/);
  };
  const stoppedGame = async (gameId: string): Promise<void> => {
    const containerId = await containers.make('exited', { gameLabel: gameId });
    await admin.query(
      `INSERT INTO runtime_records (game_id, status, current_container_id, stopped_at, last_op_at, created_at)
       VALUES ($1, 'stopped', $2, now(), now(), now())`,
      [gameId, containerId],
    );
  };

  /** What the HTTP API changes. */
  async function doDayOfApi(): Promise<void> {
    const ask = async (method: 'DELETE' | 'POST', path: string, body?: object) => {
      const content = body === undefined ? {} : { 'content-type': 'application/json' };
      const answer = await fetch(`http://127.0.0.1:${port}/api/v1/internal${path}`, {
        method,
        headers: { Prefer: 'wait=20', ...content },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: answer.status, body: await answer.json() };
    };
    expect(await ask('DELETE', '/runtimes/game-2/container')).toMatchObject({
      status: 200,
      body: { status: 'removed' },
    });
    expect(await ask('POST', '/engines/default/accept')).toMatchObject({ status: 200 });
    expect(await ask('POST', '/runtimes/game-2/reopen')).toMatchObject({ status: 409 });
    expect(await ask('DELETE', '/runtimes/no-such-game/container')).toMatchObject({ status: 404 });
    expect(await ask('POST', '/dead-letters/replay', { code: 'not_found' })).toMatchObject({ status: 200 });
  }

  test('a worker does not start before its tables are there, and one line says who must run what', async () => {
    expect(await ended('worker', 'worker')).toEqual({
      code: 1,
      output: expect.stringMatching(
        /runtime-cleanup: 2 migration\(s\) to apply: .*permission denied for schema public \(role "worker_.*run "runtime-cleanup migrate" as the role that owns the tables\n$/,
      ),
    });
  });

  test('the migrator migrates, twice, and roles.sql may run again', async () => {
    expect(await ended('migrator', 'migrate')).toMatchObject({ code: 0 });
    await applyRoles();
    expect(await ended('migrator', 'migrate')).toMatchObject({ code: 0 });
  });

  test('worker, API and every command do a day of work with these rights', async () => {
    const worker = run('worker', ['worker']);
    const api = run('api', ['api']);
    await worker.wrote('taking jobs');
    await api.wrote('listening');
    await stoppedGame('game-1');
    await stoppedGame('game-2');
    expect(await ended('api', 'enqueue', 'game-1', '--wait')).toMatchObject({ code: 0 });
    await doDayOfApi();
    await mayRun('api', 'hold', 'game-1', '--reason', 'evidence');
    await mayRun('api', 'unhold', 'game-1');
    await mayRun('worker', 'enqueue', 'no-such-game', '--wait');
    await mayRun('worker', 'dead-letters', 'replay', '--all');
    await mayRun('worker', 'dead-letters', 'purge', '--all', '--yes');
    await mayRun('worker', 'hold', 'game-1', '--reason', 'evidence');
    await mayRun('worker', 'unhold', 'game-1');
    await mayRun('worker', 'engines', 'accept', 'default');
    await mayRun('worker', 'records', 'reopen', 'game-1');
    await mayRun('worker', 'sweep');
    for (const command of READING) await mayRun('reader', ...command.split(' '));
    expect((await ended('worker', 'doctor')).output).toMatch(
      /ok +rights: the role "worker_\w+" has the rights of a worker, an API/,
    );
    expect((await ended('api', 'doctor')).output).toMatch(
      /ok +rights: the role "api_\w+" has the rights of an API, "verify"; a worker also needs/,
    );
    expect((await ended('reader', 'doctor')).output).toMatch(
      /warn +rights: the role "reader_\w+" has the rights of "verify"/,
    );
    await worker.stop();
    await api.stop();
    expect(worker.output() + api.output()).not.toContain('permission denied');
  });

  test.each(['worker', 'api', 'reader'] as const)('the operation log cannot be changed as %s', async (kind) => {
    const client = new Client({ connectionString: urlOf(kind) });
    await client.connect();
    await client.query(`SET rtmanager.prune_operation_log = 'on'`);
    for (const statement of [
      `UPDATE operation_log SET outcome = 'success'`,
      'DELETE FROM operation_log',
      'TRUNCATE operation_log',
    ]) {
      await expect(client.query(statement)).rejects.toMatchObject({ code: '42501' });
    }
    await client.end();
  });

  test('a right that is missing stops the start, in one line that names role, table and file', async () => {
    await admin.query(`REVOKE INSERT ON operation_log FROM ${roleOf('worker')}`);
    const { code, output } = await ended('worker', 'worker');
    await admin.query(`GRANT INSERT ON operation_log TO ${roleOf('worker')}`);
    expect(code).toBe(1);
    expect(output.trim().split('\n').at(-1)).toBe(
      `runtime-cleanup: the role "${roleOf('worker')}" lacks INSERT on operation_log; ` +
        'run deploy/roles.sql, which grants it (docs/operations.md, "Roles")',
    );
  });

  test('a right that is taken away while a worker runs holds its jobs until it is granted again', async () => {
    const worker = run('worker', ['worker']);
    await worker.wrote('taking jobs');
    await stoppedGame('game-3');
    await admin.query(`REVOKE UPDATE ON runtime_records FROM ${roleOf('worker')}`);
    const waiting = run('api', ['enqueue', 'game-3', '--wait']);
    await worker.wrote('permission denied for table runtime_records');
    await admin.query(`GRANT UPDATE ON runtime_records TO ${roleOf('worker')}`);
    expect(await waiting.code).toBe(0);
    const { rows } = await admin.query(
      `SELECT DISTINCT error_code FROM operation_log WHERE game_id = 'game-3' ORDER BY 1`,
    );
    expect(rows).toEqual([{ error_code: '' }, { error_code: 'service_unavailable' }]);
    await worker.stop();
  });
});
