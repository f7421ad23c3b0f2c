import { defineConfig } from 'prisma/config';

// `generate`, `validate` and `format` never start the schema engine, yet the CLI downloads it first, which fails
// without the network. Naming any file that exists skips the download; `migrate` keeps the CLI's own behaviour.
const needsNoEngine = new Set(['generate', 'validate', 'format']);
if (process.argv.some((word) => needsNoEngine.has(word))) {
  process.env['PRISMA_SCHEMA_ENGINE_BINARY'] ??= process.execPath;
}

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  // Not env(): that throws when the variable is unset, and generating a client needs no database.
  datasource: { url: process.env['DATABASE_URL'] ?? 'postgresql://localhost:5432/postgres' },
});
