/**
 * The directions of imports, one rule for each room:
 *   main -> app -> { cli, adapters, telemetry } -> engines -> circuit-breaker -> cleanup, retention, jobs, audit -> lease
 *   -> domain, async
 * Never back, never sideways between adapters, and one home for each library. `docs/architecture.md` says why.
 */
const pathOf = (room) => `^src/${room.replaceAll('.', '\\.')}(/|$)`;

/** A room (folder or file below src/) may import itself and what is allowed, and nothing else of src/. */
const only = (room, allowed) => ({
  name: `${room.replaceAll(/[/.]/g, '-')}-imports-only-what-is-below-it`,
  severity: 'error',
  comment: `src/${room} may import only: ${allowed.join(', ') || 'nothing of src/'}`,
  from: { path: pathOf(room) },
  to: { path: '^src/', pathNot: [...allowed, room].map(pathOf) },
});

const pure = ['domain', 'lease', 'cleanup', 'retention', 'audit', 'engines'];
const adapters = ['docker', 'prisma', 'redis', 'postgres', 'bullmq', 'http'];
const core = ['domain', 'async', 'lease', 'cleanup', 'jobs', 'retention', 'audit', 'engines'];
const below = { app: [...core, 'circuit-breaker', 'telemetry', 'adapters', 'cli', 'config'] };

const home = (library, rooms) => ({
  name: `one-home-${library.replaceAll(/[^a-z]+/g, '-')}`,
  severity: 'error',
  comment: `only ${rooms.join(', ')} may see ${library}`,
  from: { path: '^src/', pathNot: rooms.map(pathOf) },
  to: { path: `(^|node_modules/)${library}(/|$)` },
});

module.exports = {
  forbidden: [
    { name: 'no-cycle', severity: 'error', from: {}, to: { circular: true } },
    only('domain', []),
    only('async', ['domain']),
    only('lease', ['domain', 'async']),
    only('cleanup', ['lease', 'domain', 'async']),
    only('retention', ['domain', 'async']),
    // The audit judges engines as cleanups do, with the same pure functions.
    only('audit', ['engines', 'lease', 'domain', 'async']),
    only('jobs', ['cleanup', 'domain', 'async']),
    only('engines', ['circuit-breaker', 'cleanup', 'domain', 'async']),
    only('circuit-breaker', ['jobs', 'cleanup', 'lease', 'domain', 'async']),
    ...adapters.map((a) =>
      only(`adapters/${a}`, [...core, 'adapters/outage.ts', 'adapters/tls-failure.ts', 'generated']),
    ),
    only('adapters/outage.ts', ['adapters/tls-failure.ts']),
    only('adapters/tls-failure.ts', []),
    // The HTTP server owns the port that telemetry implements for it; that file holds types only.
    only('telemetry', [...core, 'circuit-breaker', 'adapters/http/http-ports.ts']),
    // The policy of retries decides how many attempts outlast a lease; settings are refused by that same arithmetic.
    only('config', ['domain', 'jobs/retry-policy.ts']),
    only('cli', [...core, 'config', 'telemetry/logger.ts']),
    only('app', below.app),
    only('main.ts', [...below.app, 'app']),
    only('healthcheck.ts', ['config', 'domain']),
    {
      name: 'core-imports-no-package',
      severity: 'error',
      comment: `${pure.join(', ')} import no package and no node module but types`,
      from: { path: `^src/(${pure.join('|')})/` },
      to: { dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'core'] },
    },
    {
      name: 'jobs-imports-only-the-schema-library',
      severity: 'error',
      from: { path: '^src/jobs/' },
      to: { dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'core'], pathNot: 'node_modules/zod/' },
    },
    { name: 'main-is-imported-by-no-file', severity: 'error', from: {}, to: { path: '^src/main\\.ts$' } },
    {
      name: 'src-imports-nothing-beside-it',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench|scripts|demo)/' },
    },
    {
      name: 'generated-has-one-reader',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(generated|adapters/prisma)/' },
      to: { path: '^src/generated/' },
    },
    home('dockerode', ['adapters/docker']),
    home('bullmq', ['adapters/bullmq']),
    home('bullmq-otel', ['adapters/bullmq']),
    home('ioredis', ['adapters/redis']),
    home('pg', ['adapters/postgres']),
    home('@prisma', ['adapters/prisma', 'generated']),
    home('pino', ['telemetry']),
    home('@opentelemetry', ['telemetry']),
    home('commander', ['cli']),
    home('zod', ['config', 'jobs', 'adapters/http']),
    home('fastify', ['adapters/http']),
    home('@fastify', ['adapters/http']),
    home('fastify-type-provider-zod', ['adapters/http']),
    home('ghtml', ['adapters/http']),
    home('@bull-board', ['adapters/bullmq']),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^src/generated/prisma/.*internal' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'types', 'default'] },
  },
};
