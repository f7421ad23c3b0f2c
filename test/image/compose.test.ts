/** The whole service by one command: what it does, what it forbids, and what is left after it is stopped. */
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { createPlatform, type Platform } from './platform.js';
import { tell } from './report.js';

const SERVICES = ['api', 'migrate', 'postgres', 'redis', 'roles', 'worker'];

let platform: Platform;

const cleanup = (gameId: string) =>
  platform.door.ask('DELETE', `/api/v1/internal/runtimes/${gameId}/container`, { prefer: 'wait=30' });

beforeAll(async () => {
  platform = await createPlatform();
});
afterAll(() => platform.end());

const recordStopped = (gameId: string, containerId: string): Promise<string> =>
  platform.sql(`INSERT INTO runtime_records (game_id, status, current_container_id, stopped_at, last_op_at, created_at)
    VALUES ('${gameId}', 'stopped', '${containerId}', now(), now(), now());`);

interface Container {
  readonly Mounts: readonly { readonly Destination: string; readonly Name?: string }[];
  readonly HostConfig: {
    readonly ReadonlyRootfs: boolean;
    readonly CapDrop: readonly string[] | null;
    readonly SecurityOpt: readonly string[] | null;
    readonly Memory: number;
    readonly RestartPolicy: { readonly Name: string };
  };
  readonly Config: { readonly User: string };
  readonly NetworkSettings: { readonly Ports: Readonly<Record<string, readonly { readonly HostIp: string }[] | null>> };
}

async function inspect(service: string): Promise<Container> {
  const [id = ''] = await platform.idsOf(service);
  const [container] = JSON.parse(await platform.docker(['inspect', id])) as readonly Container[];
  if (container === undefined) throw new Error(`there is no container of ${service}`);
  return container;
}

it('one command starts the platform, which cleans a container of the same engine through the API', async () => {
  const container = await platform.containers.make('exited', { gameLabel: 'first' });
  const startedMs = performance.now();
  await platform.compose(['up', '--detach', '--wait']);
  await recordStopped('first', container);
  const answer = await cleanup('first');
  const firstCleanedMs = performance.now() - startedMs;
  expect(answer).toMatchObject({ status: 200, text: expect.stringContaining('"status":"removed"') });
  expect(await platform.containers.stateOf(container)).toBe('missing');
  tell(inject('folder'), {
    what: 'from docker compose up --wait to the first cleaned container',
    result: `${(firstCleanedMs / 1_000).toFixed(1)} s`,
  });
});

it('the dashboard is shown to a caller with a token', async () => {
  expect(await platform.door.ask('GET', '/admin')).toMatchObject({ status: 200, text: expect.stringContaining('<h1') });
  expect(await platform.door.ask('GET', '/admin', { authorization: 'Bearer nothing-of-the-kind' })).toMatchObject({
    status: 401,
  });
});

it('the platform publishes the API on loopback, and no other port', async () => {
  const published = await Promise.all(
    SERVICES.map(async (service) => {
      const { Ports: ports } = (await inspect(service)).NetworkSettings;
      return Object.entries(ports).flatMap(([port, bindings]) =>
        (bindings ?? []).map(({ HostIp }) => `${HostIp} ${service} ${port}`),
      );
    }),
  );
  expect(published.flat()).toEqual(['127.0.0.1 api 8096/tcp']);
});

it('the stores are on a network without access from or to the outside', async () => {
  const reach = `
    const { connect } = require('node:net');
    const socket = connect({ host: process.argv[1], port: Number(process.argv[2]), timeout: 3000 });
    const say = (word) => { console.log(word); process.exit(); };
    socket.on('connect', () => say('reached')).on('error', ({ code }) => say(code)).on('timeout', () => say('timeout'));
  `;
  const from = async (network: string, host: string, port: string): Promise<string> =>
    platform.docker([
      'run',
      '--rm',
      `--network=${network}`,
      '--entrypoint=node',
      'runtime-cleanup',
      '-e',
      reach,
      host,
      port,
    ]);
  const project = (
    await platform.docker([
      'inspect',
      '--format={{index .Config.Labels "com.docker.compose.project"}}',
      ...(await platform.idsOf('api')),
    ])
  ).trim();
  const address = await platform.docker([
    'inspect',
    `--format={{(index .NetworkSettings.Networks "${project}_stores").IPAddress}}`,
    ...(await platform.idsOf('postgres')),
  ]);
  expect(await from(`${project}_stores`, address, '5432')).toBe('reached');
  expect(await from('bridge', address, '5432')).not.toBe('reached');
  expect(await from(`${project}_stores`, '10.0.2.3', '53'), 'a server outside').not.toBe('reached');
  expect(await from('bridge', '10.0.2.3', '53'), 'which is there').toBe('reached');
});

it("only the worker has the engine's socket", async () => {
  const holders = await Promise.all(
    SERVICES.map(async (service) => {
      const { Mounts: mounts } = await inspect(service);
      return mounts.some(({ Destination }) => Destination.endsWith('docker.sock')) ? [service] : [];
    }),
  );
  expect(holders.flat()).toEqual(['worker']);
});

it.each(['api', 'worker'])('the service %s runs without privileges, on a read-only file system', async (service) => {
  const { HostConfig: host, Config: config } = await inspect(service);
  expect(config.User).toBe('65532:65532');
  expect(host).toMatchObject({
    ReadonlyRootfs: true,
    CapDrop: ['ALL'],
    SecurityOpt: ['no-new-privileges:true'],
    Memory: 512 * 1024 * 1024,
    RestartPolicy: { Name: 'unless-stopped' },
  });
});

it('the logs contain no secret', async () => {
  const { stdout } = await platform.compose(['logs', '--no-color']);
  const { stdout: resolved } = await platform.compose(['config']);
  const secrets = [...resolved.matchAll(/(?:PASSWORD|TOKENS|REDISCLI_AUTH): (\S{32,})$/gm)].map(
    ([, secret = '']) => secret,
  );
  expect(new Set(secrets).size).toBe(6);
  expect(secrets.filter((secret) => stdout.includes(secret))).toEqual([]);
  expect(stdout).toMatch(/taking jobs/);
});

it('the platform leaves only its named volumes when it is taken down, and starts again with its data', async () => {
  const gone = await platform.containers.make('exited', { gameLabel: 'kept' });
  await recordStopped('kept', gone.slice(0, 12));
  expect(await cleanup('kept'), 'a dead letter').toMatchObject({ status: 409 });
  const [id = ''] = await platform.idsOf('api');
  const project = await platform.docker([
    'inspect',
    '--format={{index .Config.Labels "com.docker.compose.project"}}',
    id,
  ]);
  const ours = (kind: readonly string[]): Promise<string> =>
    platform.docker([...kind, `--filter=label=com.docker.compose.project=${project}`]);
  // Volumes with the name of another platform come and go meanwhile.
  const volumes = async (): Promise<readonly string[]> =>
    (await platform.docker(['volume', 'ls', '--quiet']))
      .split('\n')
      .filter((name) => name.startsWith(`${project}_`) || !/^platform-.*_(?:postgres|redis)$/i.test(name));
  const volumesBefore = await volumes();

  await platform.compose(['down']);
  expect(await ours(['ps', '--all', '--quiet'])).toBe('');
  expect(await ours(['network', 'ls', '--quiet'])).toBe('');
  expect((await ours(['volume', 'ls', '--quiet'])).split('\n').sort()).toEqual([
    `${project}_postgres`,
    `${project}_redis`,
  ]);
  expect(await volumes(), 'no volume without a name either').toEqual(volumesBefore);

  await platform.compose(['up', '--detach', '--wait']);
  expect(await platform.sql('SELECT status FROM runtime_records ORDER BY game_id;')).toBe('removed\nstopped');
  expect(await platform.door.ask('GET', '/api/v1/internal/dead-letters')).toMatchObject({
    text: expect.stringContaining('container_mismatch'),
  });
});

it('a second platform continues from a dump of the database', async () => {
  const dump = (
    await platform.compose([
      'exec',
      '-T',
      'postgres',
      'pg_dump',
      '--username=rtmanager',
      '--clean',
      '--if-exists',
      '--no-owner',
      '--no-privileges',
      'rtmanager',
    ])
  ).stdout;
  const due = await platform.containers.make('exited', { gameLabel: 'due' });
  const rows =
    "SELECT count(*), count(*) FILTER (WHERE outcome = 'success') FROM operation_log WHERE game_id <> 'due';";
  const before = await platform.sql(rows);
  await platform.compose(['down', '--volumes']);

  await platform.compose(['up', '--detach', '--wait', 'postgres']);
  await platform.compose(
    ['exec', '-T', 'postgres', 'psql', '--username=rtmanager', '--quiet', '--set=ON_ERROR_STOP=1'],
    { input: dump },
  );
  await platform.sql(`INSERT INTO runtime_records (game_id, status, current_container_id, stopped_at, last_op_at, created_at)
    SELECT 'due', 'stopped', '${due}', since, since, since FROM (SELECT now() - interval '40 days' AS since) AS clock;`);
  await platform.compose(['up', '--detach', '--wait']);
  expect(await platform.sql(rows)).toBe(before);
  // The queue was lost with Redis; what retention owes is in the database.
  await eventually(async () => expect(await platform.containers.stateOf(due)).toBe('missing'), { withinMs: 60_000 });
});

it('compose names each setting that is missing', async () => {
  const { exitCode, stderr } = await platform.tryCompose(['--env-file', '/dev/null', 'config', '--quiet']);
  expect(exitCode).not.toBe(0);
  // Whichever Compose comes upon first.
  expect(stderr).toMatch(
    /variable ((POSTGRES|MIGRATOR|WORKER|API|REDIS)_PASSWORD|RTMANAGER_API_TOKENS|DOCKER_GID) is missing a value: set it in \.env/,
  );
});
