/**
 * This tests the boundary checker: each rule must report a planted import that breaks it, and no other rule may report
 * it. A rule with a mistyped path would report nothing, as if the program followed it.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cruise, type ICruiseOptions, type IForbiddenRuleType } from 'dependency-cruiser';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

interface Config {
  readonly forbidden: readonly (IForbiddenRuleType & { readonly name: string; readonly from: { path?: string } })[];
  readonly options: ICruiseOptions;
}
const { forbidden, options } = createRequire(import.meta.url)(join(ROOT, '.dependency-cruiser.cjs')) as Config;

/** For each rule: a file that breaks it, and what that file imports (a file of the tree, a package or a module of Node). */
const BROKEN: Readonly<Record<string, readonly [from: string, imported: string]>> = {
  'no-cycle': ['src/domain/cycle-a.ts', 'src/domain/cycle-b.ts'],
  'domain-imports-only-what-is-below-it': ['src/domain/plant.ts', 'src/async/target.ts'],
  'async-imports-only-what-is-below-it': ['src/async/plant.ts', 'src/lease/target.ts'],
  'lease-imports-only-what-is-below-it': ['src/lease/plant.ts', 'src/cleanup/target.ts'],
  'cleanup-imports-only-what-is-below-it': ['src/cleanup/plant.ts', 'src/jobs/target.ts'],
  'retention-imports-only-what-is-below-it': ['src/retention/plant.ts', 'src/lease/target.ts'],
  'audit-imports-only-what-is-below-it': ['src/audit/plant.ts', 'src/retention/target.ts'],
  'jobs-imports-only-what-is-below-it': ['src/jobs/plant.ts', 'src/lease/target.ts'],
  'engines-imports-only-what-is-below-it': ['src/engines/plant.ts', 'src/retention/target.ts'],
  'circuit-breaker-imports-only-what-is-below-it': ['src/circuit-breaker/plant.ts', 'src/telemetry/target.ts'],
  'adapters-docker-imports-only-what-is-below-it': ['src/adapters/docker/plant.ts', 'src/adapters/redis/target.ts'],
  'adapters-prisma-imports-only-what-is-below-it': ['src/adapters/prisma/plant.ts', 'src/adapters/postgres/target.ts'],
  'adapters-redis-imports-only-what-is-below-it': ['src/adapters/redis/plant.ts', 'src/adapters/bullmq/target.ts'],
  'adapters-postgres-imports-only-what-is-below-it': ['src/adapters/postgres/plant.ts', 'src/config/target.ts'],
  'adapters-bullmq-imports-only-what-is-below-it': ['src/adapters/bullmq/plant.ts', 'src/telemetry/target.ts'],
  'adapters-http-imports-only-what-is-below-it': ['src/adapters/http/plant.ts', 'src/app/target.ts'],
  'adapters-outage-ts-imports-only-what-is-below-it': ['src/adapters/outage.ts', 'src/domain/target.ts'],
  'adapters-tls-failure-ts-imports-only-what-is-below-it': ['src/adapters/tls-failure.ts', 'src/domain/target.ts'],
  'telemetry-imports-only-what-is-below-it': ['src/telemetry/plant.ts', 'src/adapters/docker/target.ts'],
  'config-imports-only-what-is-below-it': ['src/config/plant.ts', 'src/async/target.ts'],
  'cli-imports-only-what-is-below-it': ['src/cli/plant.ts', 'src/app/target.ts'],
  'app-imports-only-what-is-below-it': ['src/app/plant.ts', 'src/healthcheck.ts'],
  'main-ts-imports-only-what-is-below-it': ['src/main.ts', 'src/healthcheck.ts'],
  'healthcheck-ts-imports-only-what-is-below-it': ['src/healthcheck.ts', 'src/async/target.ts'],
  'core-imports-no-package': ['src/domain/plant-package.ts', 'node:fs'],
  'jobs-imports-only-the-schema-library': ['src/jobs/plant-package.ts', 'node:fs'],
  'main-is-imported-by-no-file': ['demo/plant.ts', 'src/main.ts'],
  'src-imports-nothing-beside-it': ['src/domain/plant-beside.ts', 'demo/target.ts'],
  'generated-has-one-reader': ['src/adapters/docker/plant-generated.ts', 'src/generated/target.ts'],
  'one-home-dockerode': ['src/app/plant-dockerode.ts', 'dockerode'],
  'one-home-bullmq': ['src/app/plant-bullmq.ts', 'bullmq'],
  'one-home-bullmq-otel': ['src/app/plant-bullmq-otel.ts', 'bullmq-otel'],
  'one-home-ioredis': ['src/app/plant-ioredis.ts', 'ioredis'],
  'one-home-pg': ['src/app/plant-pg.ts', 'pg'],
  'one-home--prisma': ['src/app/plant-prisma.ts', '@prisma/adapter-pg'],
  'one-home-pino': ['src/app/plant-pino.ts', 'pino'],
  'one-home--opentelemetry': ['src/app/plant-opentelemetry.ts', '@opentelemetry/api'],
  'one-home-commander': ['src/app/plant-commander.ts', 'commander'],
  'one-home-zod': ['src/app/plant-zod.ts', 'zod'],
  'one-home-fastify': ['src/app/plant-fastify.ts', 'fastify'],
  'one-home--fastify': ['src/app/plant-fastify-plugin.ts', '@fastify/helmet'],
  'one-home-fastify-type-provider-zod': ['src/app/plant-type-provider.ts', 'fastify-type-provider-zod'],
  'one-home-ghtml': ['src/app/plant-ghtml.ts', 'ghtml'],
  'one-home--bull-board': ['src/app/plant-bull-board.ts', '@bull-board/api'],
};

/** Imports that follow the rules. */
const KEPT: readonly (readonly [from: string, imported: string])[] = [
  ['src/lease/kept.ts', 'src/async/target.ts'],
  ['src/cleanup/kept.ts', 'src/lease/target.ts'],
  ['src/jobs/kept.ts', 'zod'],
  ['src/circuit-breaker/kept.ts', 'src/jobs/target.ts'],
  ['src/engines/kept.ts', 'src/circuit-breaker/target.ts'],
  ['src/adapters/prisma/kept-engines.ts', 'src/engines/target.ts'],
  ['src/telemetry/kept.ts', '@opentelemetry/api'],
  ['src/telemetry/kept-below.ts', 'src/circuit-breaker/target.ts'],
  ['src/adapters/docker/kept.ts', 'dockerode'],
  ['src/adapters/prisma/kept.ts', 'src/generated/target.ts'],
  ['src/adapters/redis/kept.ts', 'src/cleanup/target.ts'],
  ['src/cli/kept.ts', 'src/config/target.ts'],
  ['src/app/kept.ts', 'src/adapters/http/target.ts'],
  ['demo/kept.ts', 'src/app/target.ts'],
];

type Violations = ReadonlyMap<string, readonly string[]>;

let tree: string;
let violations: Violations;
beforeAll(async () => {
  tree = plant();
  violations = await check(tree);
});
afterAll(() => rmSync(tree, { recursive: true, force: true }));

/** The tree with all planted imports; the packages are those of the project. */
function plant(): string {
  const folder = mkdtempSync(join(tmpdir(), 'boundaries-'));
  const write = (file: string, text: string): void => {
    mkdirSync(join(folder, dirname(file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  };
  const importing = ([from, imported]: readonly [string, string]): void => {
    if (imported.endsWith('target.ts')) write(imported, 'export {};\n');
    write(from, `import '${specifier(from, imported)}';\n`);
  };
  for (const pair of [...Object.values(BROKEN), ...KEPT]) importing(pair);
  importing(['src/domain/cycle-b.ts', 'src/domain/cycle-a.ts']);
  for (const name of ['node_modules', 'package.json', 'tsconfig.json'])
    symlinkSync(join(ROOT, name), join(folder, name));
  return folder;
}

function specifier(from: string, imported: string): string {
  if (!imported.endsWith('.ts')) return imported;
  const relative = posix.relative(posix.dirname(from), imported).replace(/\.ts$/, '.js');
  return relative.startsWith('.') ? relative : `./${relative}`;
}

/** The names of the rules that report each file. */
async function check(baseDir: string): Promise<Violations> {
  const cruiseOptions: ICruiseOptions = {
    ...options,
    baseDir,
    // The rules match paths below node_modules, so links to packages must not be resolved.
    preserveSymlinks: true,
    validate: true,
    ruleSet: { forbidden: [...forbidden] },
  };
  // The path is that of the command line; the planted files need no compiler options.
  delete cruiseOptions.tsConfig;
  const result = await cruise(['src', 'demo'], cruiseOptions);
  if (typeof result.output === 'string') throw new Error(result.output);
  const found = new Map<string, string[]>();
  for (const { from, rule } of result.output.summary.violations) {
    found.set(from, [...(found.get(from) ?? []), rule.name]);
  }
  return found;
}

describe('the boundary rules', () => {
  it('each boundary rule has a planted import', () => {
    expect(forbidden.map(({ name }) => name).toSorted()).toEqual(Object.keys(BROKEN).toSorted());
  });

  it.each(Object.entries(BROKEN))(
    '%s reports the import that breaks it, and no other rule reports it',
    (rule, [from]) => {
      expect(violations.get(from)).toEqual([rule]);
    },
  );

  it.each(KEPT)('the rules allow %s to import %s', (from) => {
    expect(violations.get(from)).toBeUndefined();
  });

  it('the rules report only the planted imports', () => {
    const planted = new Set([...Object.values(BROKEN).map(([from]) => from), 'src/domain/cycle-b.ts']);
    expect([...violations.keys()].filter((file) => !planted.has(file))).toEqual([]);
  });
});

describe('each folder and root file of src', () => {
  const within = (folder: string): string[] =>
    readdirSync(join(ROOT, folder), { withFileTypes: true }).map((entry) => `${folder}/${entry.name}`);
  // The generated client is not written by hand; the rule generated-has-one-reader covers it.
  const rooms = [...within('src').filter((room) => !/\/(?:adapters|generated)$/.test(room)), ...within('src/adapters')];

  it.each(rooms)('%s has one rule for its imports', (room) => {
    const file = room.endsWith('.ts') ? room : `${room}/file.ts`;
    const rules = forbidden.filter(({ name }) => name.endsWith('-imports-only-what-is-below-it'));
    expect(rules.filter(({ from }) => new RegExp(from.path ?? '$^').test(file))).toHaveLength(1);
  });
});
