/**
 * The house's walls: main -> cli -> app -> adapters, telemetry -> cleanup, retention, jobs -> lease -> domain.
 * Never back, never sideways between adapters; one home a library.
 */
const only = (room, allowed) => ({
  name: `${room.replaceAll('/', '-')}-stays-inside`,
  severity: 'error',
  comment: `src/${room} may import only: ${allowed.join(', ')}`,
  from: { path: `^src/${room}/` },
  to: { path: '^src/', pathNot: [...allowed, room].map((r) => `^src/${r.replace('.', '\\.')}(/|$)`) },
});

const pure = ['domain', 'lease', 'cleanup', 'retention', 'audit'];
const adapters = ['docker', 'prisma', 'redis', 'postgres', 'bullmq', 'http'];
const core = ['domain', 'lease', 'cleanup', 'jobs', 'retention', 'audit', 'clock.ts'];

const home = (library, rooms) => ({
  name: `one-home-${library.replaceAll(/[^a-z]+/g, '-')}`,
  severity: 'error',
  comment: `only ${rooms.join(', ')} may see ${library}`,
  from: { path: '^src/', pathNot: rooms.map((r) => `^src/${r.replace('.', '\\.')}(/|$)`) },
  to: { path: `(^|node_modules/)${library}(/|$)` },
});

module.exports = {
  forbidden: [
    { name: 'no-cycle', severity: 'error', from: {}, to: { circular: true } },
    only('domain', []),
    only('lease', ['domain', 'clock.ts']),
    only('cleanup', ['lease', 'domain', 'clock.ts']),
    only('retention', ['domain', 'clock.ts']),
    only('audit', ['domain', 'clock.ts']),
    only('jobs', ['cleanup', 'domain', 'clock.ts']),
    ...adapters.map((a) => only(`adapters/${a}`, [...core, 'steps.ts', 'adapters/outage.ts', 'generated'])),
    only('telemetry', [...core, 'steps.ts']),
    only('config', ['domain']),
    only('demo', ['app', 'config.ts', 'config/environment.ts', 'adapters/docker', 'telemetry', ...core]),
    only('cli', ['app', 'config.ts', 'config', 'demo', 'telemetry', ...core]),
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
    { name: 'nobody-imports-main', severity: 'error', from: {}, to: { path: '^src/main\\.ts$' } },
    { name: 'src-imports-no-test', severity: 'error', from: { path: '^src/' }, to: { path: '^(test|bench|scripts)/' } },
    {
      name: 'generated-has-one-reader',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(generated|adapters/prisma)/' },
      to: { path: '^src/generated/' },
    },
    home('dockerode', ['adapters/docker', 'demo']),
    home('bullmq', ['adapters/bullmq', 'demo']),
    home('bullmq-otel', ['adapters/bullmq']),
    home('ioredis', ['adapters/redis']),
    home('pg', ['adapters/postgres', 'demo']),
    home('@prisma', ['adapters/prisma', 'generated']),
    home('pino', ['telemetry']),
    home('@opentelemetry', ['telemetry']),
    home('commander', ['cli']),
    home('zod', ['config.ts', 'config', 'jobs', 'adapters/http']),
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
