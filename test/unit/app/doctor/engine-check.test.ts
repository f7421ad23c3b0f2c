import type Docker from 'dockerode';
import { describe, expect, it } from 'vitest';
import {
  checkEngine,
  enginesFinding,
  readStoredEngines,
  type StoredEngines,
} from '../../../../src/app/doctor/engine-check.js';
import { systemClock } from '../../../../src/async/clock.js';
import { UnavailableError } from '../../../../src/domain/errors.js';
import type { EngineIdentity, EngineRecord } from '../../../../src/engines/engine-ports.js';
import { createManualClock } from '../../../support/manual-clock.js';

const OWN: EngineIdentity = { engineId: 'own', rootDir: '/var/lib/docker', storageDriver: 'overlay2' };
const OTHER: EngineIdentity = { ...OWN, engineId: 'other' };
const NO_CONTAINER = '0'.repeat(64);

const anEngine = (over: Partial<EngineRecord> = {}): EngineRecord => ({
  name: 'default',
  identity: OWN,
  observed: null,
  observedAt: null,
  firstSeenAt: new Date(0),
  lastSeenAt: new Date(0),
  acceptedAt: null,
  acceptedBy: null,
  missing: 0,
  ...over,
});

interface EngineAnswers {
  readonly info?: () => unknown;
  readonly remove?: () => Promise<unknown>;
}

const refusing = (statusCode: number, message?: string) => (): never => {
  throw Object.assign(new Error('refused'), {
    statusCode,
    json: message === undefined ? Buffer.from('<html>') : { message },
  });
};
const noSuchContainer = async () => refusing(404, `No such container: ${NO_CONTAINER}`)();

/** A client of an engine, of which these calls exist. */
function check({ info, remove = noSuchContainer }: EngineAnswers, stored: StoredEngines, name = 'default') {
  const removed: unknown[] = [];
  const bodies: Readonly<Record<string, () => unknown>> = {
    '/version': () => ({ Version: '29.0.1', ApiVersion: '1.52', Os: 'linux', Arch: 'amd64' }),
    '/info': info ?? (() => ({ ID: 'own', DockerRootDir: '/var/lib/docker', Driver: 'overlay2' })),
  };
  const dial = ({ path }: { readonly path: string }, done: (error: unknown, body?: unknown) => void) => {
    try {
      done(null, bodies[path]?.());
    } catch (error) {
      done(error);
    }
  };
  const getContainer = (id: string) => ({
    remove: (options: object) => {
      removed.push([id, 'force' in options]);
      return remove();
    },
  });
  const docker = { modem: { dial }, getContainer } as unknown as Docker;
  const context = { config: { dockerTimeoutMs: 1_000 }, clock: systemClock, signal: new AbortController().signal };
  const engine = { name, shown: 'unix:///engine.sock', connect: () => docker };
  return { removed, finding: checkEngine(context, engine, stored) };
}

describe("doctor's check of an engine", () => {
  const facts =
    'unix:///engine.sock: version 29.0.1, API 1.52, linux/amd64, id own, root /var/lib/docker, driver overlay2';

  it.each([
    ['is the stored one', [anEngine()], ', as stored'],
    ['has not been used yet', [anEngine({ name: 'eu-1' })], ', not used by a worker yet'],
    ['cannot be compared, because the database is unavailable', undefined, ''],
  ])('doctor reports ok with the identity of an engine that %s', async (_situation, stored, remark) => {
    expect(await check({}, stored).finding).toEqual({ status: 'ok', detail: `${facts}${remark}` });
  });

  it('doctor fails with both identities and the command when another engine answers', async () => {
    const { finding, removed } = check({}, [anEngine({ identity: OTHER })]);
    expect(await finding).toEqual({
      status: 'failed',
      detail: expect.stringMatching(/id own, .* instead of id other, .*"runtime-cleanup engines accept default"$/),
      advice: expect.stringContaining('find out which engine owns the containers'),
    });
    expect(removed).toEqual([]);
  });

  it('doctor asks for the removal of a container that cannot exist, without force', async () => {
    const { finding, removed } = check({}, []);
    await finding;
    expect(removed).toEqual([[NO_CONTAINER, false]]);
  });

  it.each([403, 405])('doctor fails when removals are refused with %s', async (status) => {
    const { finding } = check({ remove: async () => refusing(status)() }, []);
    expect(await finding).toEqual({
      status: 'failed',
      detail: expect.stringContaining('it shows containers, and refuses to remove one'),
      advice: expect.stringContaining('DELETE /containers/<id>'),
    });
  });

  it('doctor fails with advice about the proxy when /info is refused', async () => {
    expect(await check({ info: refusing(403) }, []).finding).toMatchObject({
      status: 'failed',
      advice: 'let the proxy before the engine pass GET /version and GET /info',
    });
  });

  it.each([
    ['default', 'DOCKER_HOST'],
    ['eu-1', 'RTMANAGER_DOCKER_HOSTS'],
  ])('doctor fails when the engine %s does not answer, and names %s', async (name, variable) => {
    const info = (): never => {
      throw Object.assign(new Error('connect ENOENT'), { code: 'ENOENT' });
    };
    const finding = await check({ info }, [], name).finding;
    expect(finding).toMatchObject({ status: 'failed', advice: `start Docker, or set ${variable}` });
    expect(finding.detail).toContain('connect ENOENT');
  });
});

describe('the stored engines', () => {
  it('the stored engines are unknown when the database cannot be opened, or does not answer', async () => {
    const clock = createManualClock();
    const failed = Promise.reject(new UnavailableError('postgresql', 'not reached'));
    expect(await readStoredEngines({ clock }, failed, async () => [anEngine()])).toBeUndefined();
    const silent = readStoredEngines({ clock }, Promise.resolve(), () => new Promise(() => undefined));
    await clock.advance(2_000);
    expect(await silent).toBeUndefined();
    expect(await readStoredEngines({ clock }, Promise.resolve(), async () => [anEngine()])).toEqual([anEngine()]);
  });
});

describe("doctor's check of what workers have found", () => {
  const here = ['default', 'eu-1'];
  const named = new Map([['default', 7]]);

  it('doctor reports ok while each engine has its own identity and no container is missing', () => {
    expect(enginesFinding({ stored: [anEngine()], named, here })).toEqual({ status: 'ok', detail: 'known: default' });
    expect(enginesFinding({ stored: [], named: new Map(), here })).toEqual({
      status: 'ok',
      detail: 'no worker has used an engine yet',
    });
  });

  it.each([
    ['another identity', { observed: OTHER }, /id other, .* instead of id own/],
    ['missing containers', { missing: 3 }, /3 containers are gone, and shows no evidence/],
  ])('doctor fails for %s', (_what, over, detail) => {
    expect(enginesFinding({ stored: [anEngine(over)], named, here })).toEqual({
      status: 'failed',
      detail: expect.stringMatching(detail),
      advice: expect.stringContaining('accept the other one only if it has them, or if they are gone'),
    });
  });

  it.each([
    ['fails', 'no worker has used', [anEngine()], 'failed'],
    ['warns', 'another worker has used', [anEngine(), anEngine({ name: 'eu-2' })], 'warn'],
  ])(
    'doctor %s when records name an engine that is not configured here, and that %s',
    (_what, _worker, stored, status) => {
      const finding = enginesFinding({ stored, named: new Map([...named, ['eu-2', 4]]), here });
      expect(finding).toEqual({
        status,
        detail: '4 records name the engine "eu-2", which is not configured here',
        advice: expect.stringContaining('RTMANAGER_DOCKER_HOSTS'),
      });
    },
  );
});
