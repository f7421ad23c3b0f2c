import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { runQuietly } from '../command.mjs';
import { npm } from '../npm.mjs';
import { inProject } from '../project.mjs';
import { runStep } from '../output.mjs';

const CACHE = inProject('node_modules', '.cache', 'runtime-cleanup');
const CLIENT = join('src', 'generated');
const COMPILED = 'dist';
const byName = (a, b) => (a < b ? -1 : 1);

const filesOf = (path, skipped) => {
  if (path === skipped) return [];
  if (!statSync(inProject(path)).isDirectory()) return [path];
  const names = readdirSync(inProject(path)).sort(byName);
  return names.flatMap((name) => filesOf(join(path, name), skipped));
};

const hashOf = (paths, skipped) => {
  const hash = createHash('sha256');
  for (const path of paths.flatMap((path) => filesOf(path, skipped))) {
    hash
      .update(`${path}\0`)
      .update(readFileSync(inProject(path)))
      .update('\0');
  }
  return hash.digest('hex');
};

/** The output is part of the stamp, so that an output which was made by hand from other sources is not taken as up to date. */
const stampOf = (inputs, output) => `${hashOf(inputs, CLIENT)} ${hashOf([output])}`;

/**
 * Makes the folder `output` from `inputs` unless it is up to date.
 * @param {{ name: string, inputs: readonly string[], output: string, make: () => Promise<unknown>, doing: string }} what
 */
const madeFrom = ({ name, inputs, output, make, doing }) =>
  runStep(name, async (announce) => {
    const stampFile = join(CACHE, name.replaceAll(' ', '-'));
    const isThere = existsSync(stampFile) && existsSync(inProject(output));
    if (isThere && readFileSync(stampFile, 'utf8') === stampOf(inputs, output)) return { summary: 'up to date' };
    announce(doing);
    // Files whose source was deleted must not stay.
    rmSync(inProject(output), { recursive: true, force: true });
    await make();
    mkdirSync(CACHE, { recursive: true });
    writeFileSync(stampFile, stampOf(inputs, output));
    return { summary: 'done' };
  });

const compile = () => {
  const tsc = realpathSync(inProject('node_modules', '.bin', 'tsc'));
  return runQuietly(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { remedy: 'npm run build' });
};

const SCHEMA = ['prisma/schema.prisma', 'prisma.config.ts', 'package-lock.json'];

/** Generates the database client, which src/ imports. */
export const ensureDatabaseClient = () =>
  madeFrom({
    name: 'database client',
    inputs: SCHEMA,
    output: CLIENT,
    make: () => npm(['run', 'generate']),
    doing: 'generating with prisma',
  });

/** Generates the database client and compiles src/ to dist/. */
export const ensureBuild = async () => {
  await ensureDatabaseClient();
  await madeFrom({
    name: 'build',
    inputs: [...SCHEMA, 'package.json', 'tsconfig.json', 'tsconfig.build.json', 'src'],
    output: COMPILED,
    make: compile,
    doing: 'compiling src to dist',
  });
};
