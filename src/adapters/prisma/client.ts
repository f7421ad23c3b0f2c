import { PrismaPg } from '@prisma/adapter-pg';

import { PrismaClient } from '../../generated/prisma/client.js';
import { withUnavailable } from './failure.js';

/** An open pool of pg connections whose sessions run in UTC: Prisma reads and writes times without their offset. */
export type PgPool = Extract<ConstructorParameters<typeof PrismaPg>[0], { readonly totalCount: number }>;

/**
 * A client over a pool that somebody else owns: `$disconnect()` waits for running queries and leaves the pool open.
 * Opens no connection yet.
 */
export function createPrisma(pool: PgPool): PrismaClient {
  return new PrismaClient({ adapter: new PrismaPg(pool), errorFormat: 'minimal' });
}

/** Asks the database one thing, so that the first real question does not pay for loading the query compiler. */
export async function warmUp(prisma: PrismaClient): Promise<void> {
  await withUnavailable(() => prisma.$queryRaw`SELECT 1`);
}
