import { describe, expect, it } from 'vitest';
import { engineProblems } from '../../../src/engines/engine-problems.js';
import type { EngineRecord } from '../../../src/engines/engine-ports.js';

const identity = { engineId: 'own', rootDir: '/var/lib/docker', storageDriver: 'overlay2' };
const engine: Pick<EngineRecord, 'name' | 'identity' | 'observed' | 'missing'> = {
  name: 'eu-1',
  identity,
  observed: null,
  missing: 0,
};
const problemsOf = (over: Partial<typeof engine>) => engineProblems({ ...WHOLE, ...engine, ...over });
const WHOLE: EngineRecord = {
  ...engine,
  observedAt: null,
  firstSeenAt: new Date(0),
  lastSeenAt: new Date(0),
  acceptedAt: null,
  acceptedBy: null,
};

const OTHER =
  'another engine answers at the address of the engine "eu-1": id (none), root /mnt/docker, driver vfs instead of ' +
  'id own, root /var/lib/docker, driver overlay2; if it is right, accept it with "runtime-cleanup engines accept eu-1"';
const missing = (containers: string, them: string) =>
  `the engine "eu-1" says that ${containers} gone, and shows no evidence that it ever had ${them}; ` +
  'if its containers were really removed, accept that with "runtime-cleanup engines accept eu-1"';

describe('the problems of an engine', () => {
  const observed = { engineId: '', rootDir: '/mnt/docker', storageDriver: 'vfs' };
  it.each([
    ['an engine with its own identity and no missing container', {}, []],
    ['an engine with another identity', { observed }, [OTHER]],
    ['an engine with one missing container', { missing: 1 }, [missing('1 container is', 'it')]],
    ['an engine with many missing containers', { missing: 30 }, [missing('30 containers are', 'them')]],
    [
      'an engine with another identity and missing containers',
      { observed, missing: 2 },
      [OTHER, missing('2 containers are', 'them')],
    ],
  ])('the problems of %s name what was found and the command that accepts it', (_situation, over, problems) => {
    expect(problemsOf(over)).toEqual(problems);
  });
});
