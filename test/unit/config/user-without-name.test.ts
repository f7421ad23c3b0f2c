/** A process whose user id has no entry in /etc/passwd and no HOME, as in a container that runs as a bare number. */
import { defaults } from 'pg';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

// The modules are loaded anew for each test, because those of other test files have read the user by then.
beforeEach(() => {
  vi.resetModules();
  vi.doMock('node:os', async (importOriginal) => {
    const refuse = (): never => {
      throw Object.assign(new TypeError('uv_os_homedir returned ENOENT'), { code: 'ERR_SYSTEM_ERROR' });
    };
    return { ...(await importOriginal<object>()), homedir: refuse, userInfo: refuse };
  });
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  vi.doUnmock('node:os');
  vi.resetModules();
});

it('settings that need no home folder are read without one', async () => {
  const { readConfig } = await import('../../../src/config/config.js');
  expect(readConfig({ DATABASE_URL: 'postgresql://u@db/games' }).dockerEnvironment.homeDir).toBeNull();
});

it('a hold or a reopening is recorded with the number of a user who has no name', async () => {
  const { actorOf } = await import('../../../src/cli/terminal/argument-parsers.js');
  expect(actorOf(undefined)).toBe(`user ${process.getuid?.()}`);
});

it('an address that names its user needs no name of the process, and one that does not is refused', async () => {
  const { sessionOptions } = await import('../../../src/adapters/postgres/session/session-options.js');
  vi.stubEnv('PGUSER', '');
  // The driver reads USER when it is loaded.
  vi.spyOn(defaults, 'user', 'get').mockReturnValue(undefined);
  expect(sessionOptions('postgresql://u@db/games', 'test').user).toBe('u');
  expect(() => sessionOptions('postgresql://db/games', 'test')).toThrow(/^DATABASE_URL names no user, .* set PGUSER$/);
});
