import { describe, expect, it } from 'vitest';
import { fakeCli } from '../fake-cli.js';

const URL_OF_SERVER = 'postgresql://runtime_cleanup@localhost:5432/postgres?host=/srv/data/postgres';
const environment = { RTMANAGER_DATA_DIR: '/srv/data' };
const running = { findDatabase: async () => URL_OF_SERVER };

describe('database-url', () => {
  it('database-url prints the address of the embedded server and nothing else', async () => {
    const cli = fakeCli(running, { environment });
    expect(await cli.run('database-url')).toBe(0);
    expect(cli.written).toEqual({ stdout: `${URL_OF_SERVER}\n`, stderr: '' });
  });

  it('database-url prints an object with --json', async () => {
    const cli = fakeCli(running, { environment });
    expect(await cli.run('database-url', '--json')).toBe(0);
    expect(cli.json()).toEqual({ url: URL_OF_SERVER });
  });

  it('database-url fails when no server runs, and says how to start one', async () => {
    const cli = fakeCli({ findDatabase: async () => undefined }, { environment });
    expect(await cli.run('database-url')).toBe(1);
    expect(cli.written.stdout).toBe('');
    expect(cli.written.stderr).toMatch(
      /no embedded PostgreSQL runs .* \/srv\/data; start one with "runtime-cleanup serve"/,
    );
  });

  it('database-url never prints DATABASE_URL, which has a password', async () => {
    const cli = fakeCli(running, { environment: { DATABASE_URL: 'postgresql://u:hunter2@db/games' } });
    expect(await cli.run('database-url')).toBe(1);
    expect(cli.written.stdout).toBe('');
    expect(cli.written.stderr).toMatch(/DATABASE_URL is set, so no embedded PostgreSQL is used/);
    expect(cli.written.stderr).not.toContain('hunter2');
  });
});
