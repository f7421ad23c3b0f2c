/** Every command of the image does its work against the platform's stores, as `docker compose run` starts it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createPlatform, type Platform } from './platform.js';

let platform: Platform;
beforeAll(async () => {
  platform = await createPlatform({ settings: { RTMANAGER_SWEEP_MAX_SHARE: '100%' } });
  await platform.compose(['up', '--detach', '--wait']);
});
afterAll(() => platform.end());

/** Runs a command in a container of its own that has what a worker has. */
const command = async (...args: readonly string[]): Promise<string> =>
  (await platform.compose(['run', '--rm', '-T', 'worker', ...args])).stdout;

it('the image explains each command', async () => {
  const help = await command('--help');
  const names = [...help.matchAll(/^ {2}([a-z-]+)(?= |$)/gm)].map(([, name = '']) => name);
  expect(names).toEqual(
    expect.arrayContaining([
      'serve',
      'worker',
      'api',
      'migrate',
      'enqueue',
      'sweep',
      'hold',
      'unhold',
      'holds',
      'records',
      'log',
      'dead-letters',
      'doctor',
      'verify',
    ]),
  );
  const explained = await Promise.all(names.filter((name) => name !== 'help').map((name) => command(name, '--help')));
  for (const text of explained) expect(text).toMatch(/^Usage: runtime-cleanup /m);
});

it('migrate finds nothing left to do', async () => {
  expect(await command('migrate')).toMatch(/up to date/);
});

it('enqueue waits for the end, and records and log show the cleanup', async () => {
  const [gameId = ''] = await platform.stoppedGames('asked', 1);
  expect(await command('enqueue', gameId, '--wait')).toMatch(/asked-1.*(completed|removed)/s);
  expect(JSON.parse(await command('records', '--json'))).toMatchObject({
    records: [expect.objectContaining({ status: 'removed' })],
  });
  expect(await command('log', gameId)).toMatch(/success/);
});

it('hold protects a game from a sweep, holds lists it, and unhold ends the hold', async () => {
  const [kept = '', due = ''] = await platform.stoppedGames('swept', 2, 40);
  await command('hold', kept, '--reason', 'evidence', '--by', 'kim');
  expect(await command('holds')).toMatch(/swept-1.*evidence/);
  expect(await command('sweep', '--dry-run')).toMatch(/swept-2/);
  await command('sweep');
  await expect
    .poll(() => platform.sql(`SELECT status FROM runtime_records WHERE game_id = '${due}';`), { timeout: 30_000 })
    .toBe('removed');
  expect(await platform.sql(`SELECT status FROM runtime_records WHERE game_id = '${kept}';`)).toBe('stopped');
  await command('unhold', kept);
  expect(await command('holds')).not.toMatch(/swept-1/);
});

it('dead-letters lists, shows, replays and purges a dead letter', async () => {
  expect((await platform.tryCompose(['run', '--rm', '-T', 'worker', 'enqueue', 'unknown', '--wait'])).exitCode).toBe(1);
  const list = await command('dead-letters', 'list', '--json');
  const [, jobId = ''] = /"(?:jobId|id)": ?"([^"]+)"/.exec(list) ?? [];
  expect(await command('dead-letters', 'show', jobId)).toMatch(/not_found/);
  await command('dead-letters', 'replay', jobId);
  await expect
    .poll(() => command('dead-letters', 'show', jobId).catch(() => ''), { timeout: 30_000 })
    .toMatch(/not_found/);
  await command('dead-letters', 'purge', jobId);
  expect(await command('dead-letters', 'list')).not.toContain('unknown');
});

it('doctor finds no problem', async () => {
  const found = await command('doctor');
  expect(found).toMatch(/^No check failed\.$/m);
  expect(found).not.toMatch(/^failed/m);
});

it('verify finds every invariant to hold', async () => {
  expect(await command('verify')).not.toMatch(/broken/);
});

it('serve runs worker, API and retention in one process', async () => {
  const id = (await platform.compose(['run', '--detach', '--rm', 'worker', 'serve'])).stdout.trim();
  try {
    await expect
      .poll(() => platform.docker(['logs', id]), { timeout: 30_000 })
      .toMatch(/listening[\s\S]*taking jobs|taking jobs[\s\S]*listening/);
  } finally {
    await platform.docker(['stop', id]);
  }
});
