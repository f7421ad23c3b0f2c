import { createHash } from 'node:crypto';
import { PrismaPg } from '@prisma/adapter-pg';

import { PrismaClient } from '../../generated/prisma/client.js';
import { withUnavailable } from './failure.js';
import { BugError } from '../../domain/errors.js';

/** An open pool of pg connections whose sessions run in UTC: Prisma reads and writes times without their offset. */
export type PgPool = Extract<ConstructorParameters<typeof PrismaPg>[0], { readonly totalCount: number }>;

/**
 * A client over a pool that its caller owns: `$disconnect()` waits for running queries and leaves the pool open.
 * Opens no connection yet.
 */
export function createPrisma(pool: PgPool): PrismaClient {
  return new PrismaClient({
    adapter: new PrismaPg(pool, { statementNameGenerator: statementName }),
    errorFormat: 'minimal',
  });
}

/**
 * One name for each text, under which every connection keeps it parsed: to parse and plan the statements of a cleanup
 * costs the database more than to run them. There are as many texts as there are queries in this folder, because none
 * of them grows with its values.
 */
const statementName = ({ sql }: { readonly sql: string }): string =>
  `prisma_${createHash('sha1').update(sql).digest('hex')}`;

/** Asks the database one thing, so that the first real question does not pay for loading the query compiler. */
export async function warmUp(prisma: PrismaClient): Promise<void> {
  await withUnavailable(() => prisma.$queryRaw`SELECT 1`);
}

/** What time it is by the database's clock. */
export async function databaseTime(prisma: PrismaClient): Promise<Date> {
  const [row] = await withUnavailable(() => prisma.$queryRaw<{ now: Date }[]>`SELECT clock_timestamp() AS now`);
  if (row === undefined) throw new BugError('the database was asked for the time and answered with no row');
  return row.now;
}
