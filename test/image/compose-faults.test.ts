/** Parts of the platform are killed, restarted and replaced while games are cleaned: every job ends, and nothing happens twice. */
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { activeJobs, expectEachCleanedOnce, whileCleaning } from './load.js';
import { createPlatform, type Platform } from './platform.js';
import { tell } from './report.js';

const WORKERS = 3;
/** Of one worker, on Redis. */
const CONCURRENCY = 8;
const GAMES = 60;

let platform: Platform;
beforeAll(async () => {
  // The games of a worker that died wait for its leases to run out.
  platform = await createPlatform({ settings: { RTMANAGER_GAME_LEASE_TTL_SECONDS: '5' } });
  await platform.compose(['up', '--detach', '--wait', `--scale=worker=${WORKERS}`]);
});
afterAll(async () => {
  for (const service of ['worker', 'api']) {
    const [id = ''] = await platform.idsOf(service);
    const used = await platform.docker(['stats', '--no-stream', '--format={{.MemUsage}}', id]);
    tell(inject('folder'), { what: `memory of one ${service} after all that`, result: used });
  }
  await platform.end();
});

const pidOf = async (id: string): Promise<number> =>
  Number(await platform.docker(['inspect', '--format={{.State.Pid}}', id]));

/** As a crash does: the engine did not ask for it, and restarts the container. */
async function crash(service: string): Promise<void> {
  const [id = ''] = await platform.idsOf(service);
  const pid = await pidOf(id);
  process.kill(pid, 'SIGKILL');
  await eventually(async () => expect([0, pid]).not.toContain(await pidOf(id)), { withinMs: 30_000 });
}

async function expectSurvival(name: string, fault: () => Promise<unknown>): Promise<void> {
  const games = await platform.stoppedGames(name.replaceAll(/\W+/g, '-'), GAMES);
  const ending = await whileCleaning(platform, games, { name, fault });
  tell(inject('folder'), ending);
  await expectEachCleanedOnce(platform, ending);
}

it('the platform runs as many workers as are configured', async () => {
  expect(await platform.idsOf('worker')).toHaveLength(WORKERS);
});

it('other workers finish the jobs of a killed worker', async () => {
  const prefix = 'worker-killed-mid-job';
  // No worker can take these records until the locks are released, so each worker holds as many jobs as it can.
  const games = await platform.stoppedGames(prefix, GAMES);
  const locked = `SELECT FROM runtime_records WHERE game_id LIKE '${prefix}%' FOR UPDATE`;
  const holding = platform.sql(`BEGIN; ${locked}; SELECT pg_sleep(600);`).catch(() => 'let go');
  const ending = await whileCleaning(platform, games, {
    name: 'worker killed mid-job (1 of 3)',
    fault: async () => {
      await eventually(async () => expect(await activeJobs(platform)).toBe(WORKERS * CONCURRENCY), {
        withinMs: 60_000,
      });
      await crash('worker');
      await platform.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid();`);
      await holding;
    },
  });
  tell(inject('folder'), ending);
  await expectEachCleanedOnce(platform, ending);
});

it('a rolling restart of the workers loses nothing', () =>
  expectSurvival('rolling restart of 3 workers', async () => {
    for (const id of await platform.idsOf('worker')) {
      await platform.docker(['stop', '--time=45', id]);
      expect(await platform.docker(['inspect', '--format={{.State.ExitCode}}', id])).toBe('0');
      await platform.docker(['start', id]);
    }
  }));

it('a deployment that replaces workers and API loses nothing', () =>
  expectSurvival('workers and API replaced', () =>
    platform.compose([
      'up',
      '--detach',
      '--wait',
      '--no-deps',
      '--force-recreate',
      `--scale=worker=${WORKERS}`,
      'worker',
      'api',
    ]),
  ));

it('a killed Redis keeps its data', () => expectSurvival('Redis killed', () => crash('redis')));

it('a killed PostgreSQL keeps its data', () => expectSurvival('PostgreSQL killed', () => crash('postgres')));
