import { cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runQuietly } from '../command.mjs';
import { npm } from '../npm.mjs';
import { inProject } from '../project.mjs';
import { runStep } from '../output.mjs';

const CACHE = inProject('node_modules', '.cache', 'runtime-cleanup', 'stand-ins');
const SOURCES = inProject('test', 'image', 'stand-ins');
const AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt';

/** The base of all stand-ins. Names with `stand-in/` are used by no public image; the other names are the public ones. */
const DEBIAN = 'stand-in/debian';
const COMPOSE = 'stand-in/compose';
const SUITE = 'trixie';
const NODE_MAJOR = 24;
const NPM_MAJOR = 11;

const IMAGES = [
  { folder: 'node', name: `node:${NODE_MAJOR}-${SUITE}-slim`, hasNode: true },
  { folder: 'distroless', name: `gcr.io/distroless/nodejs${NODE_MAJOR}-debian13:nonroot`, hasNode: true },
  { folder: 'redis', name: 'redis:8' },
  { folder: 'postgres', name: 'postgres:17' },
  { folder: 'haproxy', name: 'haproxy:3.0' },
];

// Without manuals, and without waiting for the disk: after a power cut the image is built again.
const BOOTSTRAP = [
  '--quiet',
  '--variant=apt',
  '--include=passwd',
  '--dpkgopt=force-unsafe-io',
  ...['doc', 'man', 'locale'].map((folder) => `--dpkgopt=path-exclude=/usr/share/${folder}/*`),
  '--aptopt=Acquire::Languages "none"',
];

/** Makes `name` in the cache unless it is there. It is moved there when complete, so the cache never holds an incomplete one. */
const cached = async (name, make) => {
  const path = join(CACHE, name);
  if (existsSync(path)) return path;
  mkdirSync(CACHE, { recursive: true });
  const unfinished = mkdtempSync(join(CACHE, 'unfinished-'));
  try {
    await make(join(unfinished, name));
    renameSync(join(unfinished, name), path);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return path;
};

const debianFiles = () =>
  cached(`debian-${SUITE}.tar`, (file) => runQuietly('mmdebstrap', [...BOOTSTRAP, SUITE, file]));

/** A package of the npm registry, unpacked as `folder`. */
const unpackedPackage = (spec, folder) =>
  cached(folder, async (target) => {
    mkdirSync(target);
    const [{ filename }] = JSON.parse(await npm(['pack', spec, '--json', `--pack-destination=${target}`]));
    await runQuietly('tar', ['-xzf', join(target, filename), '-C', target, '--strip-components=1']);
    rmSync(join(target, filename));
  });

const nodePackage = () =>
  unpackedPackage(`node-${process.platform}-${process.arch}@${NODE_MAJOR}`, `node-${NODE_MAJOR}`);
const npmPackage = () => unpackedPackage(`npm@${NPM_MAJOR}`, `npm-${NPM_MAJOR}`);

/** The build context: the files of the repository, and the files that only this machine has (node, npm, certificates). */
const contextOf = async ({ folder, hasNode = false }, target) => {
  cpSync(join(SOURCES, folder), target, { recursive: true });
  if (!hasNode) return;
  mkdirSync(join(target, 'certificates'));
  const knowsAuthorities = existsSync(AUTHORITIES);
  if (knowsAuthorities) cpSync(AUTHORITIES, join(target, 'certificates', 'ca-certificates.crt'), { dereference: true });
  writeFileSync(join(target, 'npmrc'), knowsAuthorities ? `cafile=${AUTHORITIES}\n` : '');
  cpSync(join(await nodePackage(), 'bin', 'node'), join(target, 'node'));
  cpSync(await npmPackage(), join(target, 'npm'), { recursive: true });
};

/** @param {string} dockerHost */
const dockerAt = (dockerHost) => (args) =>
  runQuietly('docker', args, { environment: { ...process.env, DOCKER_HOST: dockerHost } });

const build = (docker, image) =>
  runStep(`stand-in ${image.name}`, async () => {
    const context = mkdtempSync(join(tmpdir(), 'runtime-cleanup-stand-in-'));
    try {
      await contextOf(image, context);
      await docker(['build', '--quiet', '--tag', image.name, context]);
      return { summary: 'built' };
    } finally {
      rmSync(context, { recursive: true, force: true });
    }
  });

/**
 * Builds stand-ins for all public images that the Dockerfile and the compose files name, under the same names, because the private
 * engine has none of them and reaches no registry. See stand-ins.d.mts.
 */
export const buildStandIns = async (dockerHost) => {
  const docker = dockerAt(dockerHost);
  await Promise.all([
    runStep(`stand-in ${DEBIAN}`, async () => {
      await docker(['import', await debianFiles(), DEBIAN]);
      return { summary: 'imported' };
    }),
    // Downloads, which two of the images share.
    nodePackage(),
    npmPackage(),
  ]);
  // Each of them mostly waits for Debian's mirror.
  await Promise.all(IMAGES.map((image) => build(docker, image)));
};

const hasCompose = async (environment) => {
  try {
    await runQuietly('docker', ['compose', 'version'], { environment });
    return true;
  } catch {
    return false;
  }
};

/** Compose from Debian's package, in a folder that the docker program uses as its configuration. */
const composeFolder = (docker) =>
  cached(`compose-${process.arch}`, async (target) => {
    await build(docker, { folder: 'compose', name: COMPOSE });
    const id = (await docker(['create', COMPOSE, 'nothing'])).trim();
    mkdirSync(join(target, 'cli-plugins'), { recursive: true });
    await docker(['cp', `${id}:/usr/libexec/docker/cli-plugins/docker-compose`, join(target, 'cli-plugins')]);
    await docker(['rm', id]);
  });

/**
 * The environment in which `docker compose` uses this engine: with the machine's own Compose v2, or with one from the stand-ins'
 * Debian release when the machine has none. See stand-ins.d.mts.
 */
export const ensureCompose = async (dockerHost) => {
  const environment = { ...process.env, DOCKER_HOST: dockerHost };
  const given = await runStep('Docker Compose', async () => {
    const isThere = await hasCompose(environment);
    return { summary: isThere ? 'found' : 'not on this machine', value: isThere ? environment : undefined };
  });
  return given ?? { ...environment, DOCKER_CONFIG: await composeFolder(dockerAt(dockerHost)) };
};
