import { describe, expect, it } from 'vitest';
import { createReadiness } from '../../../src/app/readiness.js';
import { UnavailableError } from '../../../src/domain/errors.js';
import type { EngineIdentity } from '../../../src/engines/engine-ports.js';
import { createLogger } from '../../../src/telemetry/logger.js';
import { createFakePlatform } from '../../support/fakes/platform.js';
import { createManualClock } from '../../support/manual-clock.js';
import { aRecord, CONTAINER_ID } from '../../support/records.js';
import { read } from '../config/reading.js';

const OWN: EngineIdentity = { engineId: 'own', rootDir: '/var/lib/docker', storageDriver: 'overlay2' };
const OTHER: EngineIdentity = { ...OWN, storageDriver: 'vfs' };

type Core = Parameters<typeof createReadiness>[1];
interface Faked extends Omit<Core['engines'], 'accept'> {
  readonly checkWritable: () => Promise<void>;
  readonly acquire: () => Promise<boolean>;
}

/** The readiness of a process without an engine of its own, as the role `api` has it. */
function apiReadiness(over: Partial<Faked> = {}, settings: Readonly<Record<string, string>> = {}) {
  const platform = createFakePlatform();
  const { engines, containerLooks, state, sweepSchedule, cleanupQueue } = platform;
  const counts = { waiting: 0, delayed: 0, active: 0, failed: 0 };
  const queues = { producer: { ...cleanupQueue, counts: async () => counts }, schedule: sweepSchedule };
  const check = createReadiness(
    {
      config: read(settings),
      log: createLogger({ name: 'test', level: 'silent' }),
      clock: createManualClock(),
      patienceMs: 0,
      signal: new AbortController().signal,
    },
    {
      now: async () => new Date(0),
      nowIfWritable: async () => new Date(0),
      queues: queues as never,
      engines: { ...engines, ...over },
      backend: { checkWritable: over.checkWritable ?? (async () => undefined) } as never,
      leases: { acquire: over.acquire ?? (async () => true) } as never,
    },
    { needsEngine: false },
  );
  const enginesCheck = async () => (await check()).find(({ name }) => name === 'engines');
  return { engines, containerLooks, state, check, enginesCheck };
}

describe('the readiness of a process without access to an engine', () => {
  it('readiness without an engine checks the engines that workers have used, and no engine of its own', async () => {
    const { check } = apiReadiness();
    expect((await check()).map(({ name }) => name)).toEqual(['database', 'queue', 'engines', 'retention']);
  });

  it('the check of the queue fails while its store answers reads and refuses writes', async () => {
    const checkWritable = () => Promise.reject(new UnavailableError('queue', 'READONLY a replica'));
    const checks = await apiReadiness({ checkWritable }).check();
    expect(checks.find(({ name }) => name === 'queue')).toEqual({
      name: 'queue',
      ok: false,
      detail: 'READONLY a replica',
    });
  });

  it('readiness acquires a lease where leases are in Redis, and fails when that is refused', async () => {
    const inRedis = { REDIS_URL: 'redis://127.0.0.1:6379' };
    const leasesOf = async (over: Partial<Faked>) =>
      (await apiReadiness(over, inRedis).check()).find(({ name }) => name === 'leases');
    expect(await leasesOf({})).toMatchObject({ ok: true });
    const acquire = () => Promise.reject(new UnavailableError('redis', 'NOREPLICAS'));
    expect(await leasesOf({ acquire })).toEqual({ name: 'leases', ok: false, detail: 'NOREPLICAS' });
  });

  it('the check of engines passes while each engine has its own identity', async () => {
    const { engines, enginesCheck } = apiReadiness();
    expect(await enginesCheck()).toEqual({ name: 'engines', ok: true, detail: 'no engine has been used yet' });
    await engines.seen('default', OWN);
    await engines.seen('eu-1', OWN);
    expect(await enginesCheck()).toEqual({ name: 'engines', ok: true, detail: 'known: default, eu-1' });
  });

  it('the check of engines fails from the moment when a worker has seen another engine until that is accepted', async () => {
    const { engines, enginesCheck } = apiReadiness();
    await engines.seen('default', OWN);
    await engines.seen('default', OTHER);
    expect(await enginesCheck()).toMatchObject({
      ok: false,
      detail: expect.stringMatching(
        /driver vfs instead of .*driver overlay2; .*"runtime-cleanup engines accept default"/,
      ),
    });
    await engines.accept('default', { name: 'kim', opSource: 'operator_cli' });
    expect(await enginesCheck()).toMatchObject({ ok: true });
  });

  it('the check of engines fails while containers are missing', async () => {
    const { engines, containerLooks, state, enginesCheck } = apiReadiness();
    await engines.seen('default', OWN);
    state.records.set('game-1', aRecord());
    await containerLooks.foundGone({ engine: 'default', gameId: 'game-1', containerId: CONTAINER_ID, jobId: '1' });
    expect(await enginesCheck()).toMatchObject({ ok: false, detail: expect.stringContaining('1 container is gone') });
  });

  it('the check of engines fails with the reason while the database is unavailable', async () => {
    const list = () => Promise.reject(new UnavailableError('postgresql', 'not reached'));
    expect(await apiReadiness({ list }).enginesCheck()).toEqual({ name: 'engines', ok: false, detail: 'not reached' });
  });
});
