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
import { step } from '../say.mjs';

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

/** The output is part of it, so that one made by hand from other sources is not taken for ours. */
const stampOf = (inputs, output) => `${hashOf(inputs, CLIENT)} ${hashOf([output])}`;

/**
 * Makes the folder `output` from `inputs` unless that has been done already.
 * @param {{ name: string, inputs: readonly string[], output: string, make: () => Promise<unknown>, doing: string }} what
 */
const madeFrom = ({ name, inputs, output, make, doing }) =>
  step(name, async (announce) => {
    const stampFile = join(CACHE, name.replaceAll(' ', '-'));
    const isThere = existsSync(stampFile) && existsSync(inProject(output));
    if (isThere && readFileSync(stampFile, 'utf8') === stampOf(inputs, output)) return { said: 'up to date' };
    announce(doing);
    // Files whose source is gone must not live on.
    rmSync(inProject(output), { recursive: true, force: true });
    await make();
    mkdirSync(CACHE, { recursive: true });
    writeFileSync(stampFile, stampOf(inputs, output));
    return { said: 'done' };
  });

const compile = () => {
  const tsc = realpathSync(inProject('node_modules', '.bin', 'tsc'));
  return runQuietly(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { remedy: 'npm run build' });
};

/** Generates the database client and compiles src/ to dist/. */
export const ensureBuild = async () => {
  const schema = ['prisma/schema.prisma', 'prisma.config.ts', 'package-lock.json'];
  await madeFrom({
    name: 'database client',
    inputs: schema,
    output: CLIENT,
    make: () => npm(['run', 'generate']),
    doing: 'generating with prisma',
  });
  await madeFrom({
    name: 'build',
    inputs: [...schema, 'package.json', 'tsconfig.json', 'tsconfig.build.json', 'src'],
    output: COMPILED,
    make: compile,
    doing: 'compiling src to dist',
  });
};
