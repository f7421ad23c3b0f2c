import type { Examples } from './examples.js';

/** The addresses of PostgreSQL; that of the queue needs the other one. */
export const postgresExamples: Readonly<Record<string, Examples>> = {
  DATABASE_URL: {
    valid: [
      ['postgresql://a:b@db:5432/games', { databaseUrl: 'postgresql://a:b@db:5432/games' }],
      ['postgres://db/games?sslmode=require', { databaseUrl: 'postgres://db/games?sslmode=require' }],
      ['postgresql:///games?host=/run/postgresql', { databaseUrl: 'postgresql:///games?host=/run/postgresql' }],
      ['postgresql://a:b@/games?host=/cloudsql/c', { databaseUrl: 'postgresql://a:b@/games?host=/cloudsql/c' }],
    ],
    invalid: ['db:5432/games', 'mysql://db/games', 'postgresql:db', 'postgresql://[db/games', 'postgresql://a,b/games'],
  },
  RTMANAGER_QUEUE_DATABASE_URL: {
    beside: { DATABASE_URL: 'postgresql://pooler:6432/games' },
    valid: [['postgresql://a:b@db:5432/games', { queueDatabaseUrl: 'postgresql://a:b@db:5432/games' }]],
    invalid: ['db:5432/games', 'redis://db', 'postgresql://a,b/games'],
  },
};
