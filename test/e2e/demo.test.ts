import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { createDocker } from '../../src/adapters/docker/connection.js';
import { RUN_LABEL } from '../../demo/containers/containers.js';
import { eventually } from '../support/eventually.js';
import { startRedis, type TestRedis } from '../support/redis.js';

const PROGRAM = ['--import', 'tsx', fileURLToPath(new URL('../../demo/main.ts', import.meta.url))];
const socket = inject('engineSocket');
const docker = createDocker({ host: `unix://${socket}` });
const ofAnyDemo = { filters: { label: [RUN_LABEL] } };

interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The demo's folder for temporary files. */
let folder: string;
let imagesBefore: readonly string[];
let redis: TestRedis | undefined;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'runtime-cleanup-e2e-'));
  chmodSync(folder, 0o755);
  imagesBefore = await images();
});

afterEach(async () => {
  rmSync(folder, { recursive: true, force: true });
  await redis?.stop();
  redis = undefined;
});

const images = async (): Promise<readonly string[]> =>
  (await docker.listImages()).map(({ Id }) => Id).sort((a, b) => a.localeCompare(b));

const startDemo = (environment: Readonly<Record<string, string>> = {}, args: readonly string[] = ['--json']) => {
  const { PATH, HOME } = process.env;
  const child = spawn(process.execPath, [...PROGRAM, ...args], {
    // tsx would leave its cache of compiled files in the folder, which must be empty afterwards.
    env: { PATH, HOME, TMPDIR: folder, TSX_DISABLE_CACHE: '1', DOCKER_HOST: `unix://${socket}`, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  const ended = Promise.all([exited, text(child.stdout), text(child.stderr)]).then(
    ([exitCode, stdout, stderr]): Ended => ({ exitCode, stdout, stderr }),
  );
  return { child, ended };
};

/** Processes that have the demo's folder in their command line or environment. */
const processesOfDemo = (): readonly string[] =>
  readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .filter((pid) => ['cmdline', 'environ'].some((file) => contentOf(`/proc/${pid}/${file}`).includes(folder)));

/** A process may end while it is read. */
const contentOf = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
};

const expectNothingLeft = async (): Promise<void> => {
  expect(await docker.listContainers({ all: true, ...ofAnyDemo })).toEqual([]);
  expect((await docker.listVolumes(ofAnyDemo)).Volumes ?? []).toEqual([]);
  expect(await images()).toEqual(imagesBefore);
  expect(processesOfDemo()).toEqual([]);
};

const onServer = async (connectionString: string, statement: string): Promise<readonly unknown[]> => {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(statement)).rows;
  } finally {
    await client.end();
  }
};

// A run takes half a minute, and several times that on a busy machine.
describe('the demo', { timeout: 300_000 }, () => {
  it('every row is as expected on the PostgreSQL queue, and nothing is left behind', async () => {
    const { exitCode, stdout, stderr } = await startDemo({}, []).ended;
    expect({ exitCode, stdout, stderr }).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^stopped +5 +removed +gone +removed; success +completed +ok$/m),
      stderr: expect.stringMatching(/^jobs ended: (\d+) of \1 [\s\S]*^ {2}\$ curl -X DELETE .*\n {4}200 \{"gameId"/m),
    });
    expect(stdout).toMatch(/^58 of 58 as expected; .* jobs on the postgres queue; /m);
    expect(stdout).not.toContain('DIFFERS');
    await expectNothingLeft();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('a database user without CREATEDB is an error that names the missing right', async () => {
    const url = new URL(inject('postgresUrl'));
    await onServer(url.href, `CREATE ROLE demo_reader LOGIN PASSWORD 'demo_reader'`);
    url.username = url.password = 'demo_reader';
    const { exitCode, stderr } = await startDemo({ DATABASE_URL: url.href }, []).ended;
    await onServer(inject('postgresUrl'), 'DROP ROLE demo_reader');
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/permission denied to create database.*give it CREATEDB, or unset DATABASE_URL/),
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('on a given Redis and PostgreSQL a difference is reported, exit code 1, and nothing but the log is left', async () => {
    redis = await startRedis();
    const databaseUrl = inject('postgresUrl');
    const client = new Redis(redis.url);
    await client.multi().set('live', 'a').select(1).set('live', 'b').exec();

    const { ended } = startDemo({ DATABASE_URL: databaseUrl, REDIS_URL: redis.url });
    const paused = await eventually(
      async () => {
        const [found] = await docker.listContainers({ filters: { label: [RUN_LABEL], status: ['paused'] } });
        if (found === undefined) throw new Error('no paused container yet');
        return found;
      },
      { withinMs: 60_000 },
    );
    await docker.getContainer(paused.Id).remove({ force: true });

    const { exitCode, stdout, stderr } = await ended;
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('service.log') });
    const report = JSON.parse(stdout) as {
      scenarios: { asExpected: boolean; scenario: string; differences: string[] }[];
    };
    expect(report).toMatchObject({
      asExpected: false,
      queueBackend: 'redis',
      httpCalls: expect.arrayContaining([
        {
          curl: expect.stringContaining('/container"'),
          status: 200,
          body: expect.objectContaining({ status: 'removed' }),
        },
      ]),
    });
    expect(report.scenarios.length).toBeGreaterThan(50);
    expect(report.scenarios.filter((row) => !row.asExpected)).toEqual([
      expect.objectContaining({
        scenario: 'record stopped, container paused',
        differences: expect.arrayContaining([expect.stringContaining('the container should be paused, it is gone')]),
      }),
    ]);

    await expectNothingLeft();
    const [kept = '', ...more] = readdirSync(folder);
    expect([readdirSync(join(folder, kept)), more]).toEqual([['service.log'], []]);
    const databases = await onServer(databaseUrl, `SELECT datname FROM pg_database WHERE datname LIKE '%demo%'`);
    expect(databases).toEqual([]);
    // The logical databases that held data are untouched, and that of the demo is empty.
    const keyspace = await client.info('keyspace');
    expect(keyspace.match(/^db\d+:keys=\d+/gm)).toEqual(['db0:keys=1', 'db1:keys=1']);
    client.disconnect();
  });

  it('an interrupted demo leaves nothing behind', async () => {
    const { child, ended } = startDemo();
    await eventually(
      async () => expect((await docker.listContainers({ all: true, ...ofAnyDemo })).length).toBeGreaterThan(5),
      { withinMs: 60_000 },
    );
    child.kill('SIGINT');
    expect(await ended).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: expect.stringContaining('stopped by SIGINT'),
    });
    await expectNothingLeft();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('a Redis without an empty database is refused', async () => {
    redis = await startRedis();
    const client = new Redis(redis.url);
    for (let database = 1; database <= 15; database++) await client.multi().select(database).set('live', 'a').exec();
    client.disconnect();
    const { exitCode, stderr } = await startDemo({ REDIS_URL: redis.url }, []).ended;
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('needs an empty logical database (1 to 15)'),
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('an engine that does not answer is reported at once', async () => {
    const { exitCode, stderr } = await startDemo({ DOCKER_HOST: `unix://${folder}/engine.sock` }, []).ended;
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('the engine does not answer'),
    });
    expect(readdirSync(folder)).toEqual([]);
  });
});
