import { expect, onTestFinished, test } from 'vitest';
import { createContainerLooks } from '../../../src/adapters/prisma/container-looks.js';
import { createEngineRegistry } from '../../../src/adapters/prisma/engine-registry.js';
import { openRecordsDatabase } from '../../support/postgres/records-database.js';
import { engineRegistryContract } from './engine-registry-contract.js';

async function openEngines() {
  const database = await openRecordsDatabase();
  const looks = createContainerLooks(database);
  return {
    ...database,
    engines: createEngineRegistry(database),
    noteMissing: async (look: { engine: string; gameId: string; containerId: string }) =>
      void (await looks.foundGone({ ...look, jobId: '1' })),
    clear: async () => {
      await database.clear();
      await database.pool.query('TRUNCATE engines, container_looks');
    },
  };
}

engineRegistryContract('PostgreSQL through Prisma', openEngines);

test('what is accepted has one row in the operation log with its actor, and what is not has none', async () => {
  const { engines, pool, close } = await openEngines();
  onTestFinished(close);
  const own = { engineId: 'own', rootDir: '/var/lib/docker', storageDriver: 'overlay2' };
  const actor = { name: 'kim', opSource: 'operator_cli' } as const;
  await engines.seen('default', own);
  await engines.accept('default', actor);
  await engines.seen('default', { ...own, engineId: 'other' });
  await engines.accept('default', actor);
  await engines.accept('default', actor);
  const { rows } = await pool.query('SELECT op_kind, op_source, engine, actor, error_message FROM operation_log');
  expect(rows).toEqual([
    {
      op_kind: 'accept_engine',
      op_source: 'operator_cli',
      engine: 'default',
      actor: 'kim',
      error_message:
        'identity accepted: id other, root /var/lib/docker, driver overlay2 instead of id own, root /var/lib/docker, ' +
        'driver overlay2; 0 missing containers accepted as gone',
    },
  ]);
});
