import { defineConfig } from 'prisma/config';

// `generate`, `validate` and `format` never start the schema engine, yet the CLI downloads it first, which fails
// without the network. Naming any file that exists skips the download; `migrate` keeps the CLI's own behaviour.
const needsNoEngine = new Set(['generate', 'validate', 'format']);
if (process.argv.some((word) => needsNoEngine.has(word))) {
  process.env['PRISMA_SCHEMA_ENGINE_BINARY'] ??= process.execPath;
}

// For `generate` and `migrate diff`. The migrations are applied by `runtime-cleanup migrate`, which records them in a table
// of its own; `prisma migrate deploy` does not know that table and would apply them a second time.
export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  experimental: { externalTables: true },
  // Not a model: the program reads it below Prisma.
  tables: { external: ['public.runtime_cleanup_migrations'] },
  // Not env(): that throws when the variable is unset, and generating a client needs no database.
  datasource: { url: process.env['DATABASE_URL'] ?? 'postgresql://localhost:5432/postgres' },
});
