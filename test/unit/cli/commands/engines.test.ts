import { userInfo } from 'node:os';
import { describe, expect, it } from 'vitest';
import type { EngineIdentity } from '../../../../src/engines/engine-ports.js';
import { aRecord, CONTAINER_ID } from '../../../support/records.js';
import { fakeCli } from '../fake-cli.js';
import { fakeEngines } from '../fake-handles.js';

const OWN: EngineIdentity = { engineId: 'own', rootDir: '/var/lib/docker', storageDriver: 'overlay2' };
const OTHER: EngineIdentity = { ...OWN, engineId: 'other' };
const AT = '2026-03-01T00:00:00.000Z';

/** An engine `default` at which another one answers, and which has lost the container of `game-1`. */
async function troubledEngine() {
  const opened = fakeEngines();
  const { engines, containerLooks, state } = opened;
  await engines.seen('default', OWN);
  await engines.seen('default', OTHER);
  state.records.set('game-1', aRecord());
  await containerLooks.foundGone({ engine: 'default', gameId: 'game-1', containerId: CONTAINER_ID, jobId: '1' });
  return opened;
}

describe('engines list', () => {
  it('engines list prints a table of the engines that are configured here and of those that workers have used', async () => {
    const { backend, engines, closed } = fakeEngines(
      new Map([
        ['default', 'unix:///engine.sock'],
        ['eu-1', 'tcp://eu-1:2376'],
      ]),
    );
    await engines.seen('default', OWN);
    await engines.seen('eu-2', OWN);
    await engines.seen('eu-2', OTHER);
    await engines.accept('eu-2', { name: 'kim', opSource: 'operator_cli' });
    const cli = fakeCli(backend);
    expect(await cli.run('engines', 'list')).toBe(0);
    const seen = '2026-03-01 00:00:00Z';
    expect(cli.written.stdout.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^NAME {5}ADDRESS {14}LAST SEEN {13}MISSING {2}ACCEPTED {21}IDENTITY +OTHER IDENTITY$/),
      expect.stringMatching(
        new RegExp(`^default  unix:///engine.sock  ${seen}  0 +id own, root /var/lib/docker, driver overlay2$`),
      ),
      expect.stringMatching(/^eu-1 {5}tcp:\/\/eu-1:2376 {6}never +stored when a worker first uses it$/),
      expect.stringMatching(
        new RegExp(`^eu-2     not configured here  ${seen}  0        ${seen} by kim  id other, root`),
      ),
    ]);
    expect(cli.written.stderr).toBe('');
    expect(closed.times).toBe(1);
  });

  it('engines list writes to standard error why cleanups are held, with the command that accepts it', async () => {
    const { backend } = await troubledEngine();
    const cli = fakeCli(backend);
    expect(await cli.run('engines', 'list')).toBe(0);
    expect(cli.written.stderr.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/id other, .* instead of id own, .*"runtime-cleanup engines accept default"$/),
      expect.stringMatching(/1 container is gone, .*"runtime-cleanup engines accept default"$/),
    ]);
    expect(cli.written.stdout).toMatch(/ 1 +id own, .* id other, root/);
  });

  it('engines list prints the same fields for every engine with --json', async () => {
    const { backend } = await troubledEngine();
    const cli = fakeCli({
      openEngines: async () => ({
        ...(await backend.openEngines()),
        addresses: () => new Map([['eu-1', 'tcp://eu-1:2376']]),
      }),
    });
    expect(await cli.run('engines', 'list', '--json')).toBe(0);
    expect(cli.json()).toEqual({
      engines: [
        {
          name: 'eu-1',
          address: 'tcp://eu-1:2376',
          identity: null,
          observed: null,
          observedAt: null,
          firstSeenAt: null,
          lastSeenAt: null,
          missing: 0,
          acceptedAt: null,
          acceptedBy: null,
        },
        {
          name: 'default',
          address: null,
          identity: OWN,
          observed: OTHER,
          observedAt: AT,
          firstSeenAt: AT,
          lastSeenAt: AT,
          missing: 1,
          acceptedAt: null,
          acceptedBy: null,
        },
      ],
    });
    expect(cli.written.stderr).toBe('');
  });

  it('engines list says so when there are no engines', async () => {
    const cli = fakeCli(fakeEngines(new Map()).backend);
    expect(await cli.run('engines', 'list')).toBe(0);
    expect(cli.written).toEqual({ stdout: '', stderr: 'There are no engines.\n' });
  });

  it('engines list prints no control characters of an engine', async () => {
    const { backend, engines } = fakeEngines();
    await engines.seen('default', { ...OWN, engineId: 'a\u001B[2J' });
    await engines.seen('default', { ...OWN, engineId: 'b\u001B[2J' });
    const cli = fakeCli(backend);
    await cli.run('engines', 'list');
    expect(`${cli.written.stdout}${cli.written.stderr}`).not.toContain('\u001B');
  });
});

describe('engines accept', () => {
  it('engines accept accepts identity and missing containers in the name of the user, and prints them', async () => {
    const { backend, engines, closed } = await troubledEngine();
    const cli = fakeCli(backend);
    expect(await cli.run('engines', 'accept', 'default')).toBe(0);
    expect(await engines.list()).toMatchObject([
      { identity: OTHER, observed: null, missing: 0, acceptedBy: userInfo().username },
    ]);
    expect(cli.written.stdout).toBe(
      'The engine "default" has a new identity: id other, root /var/lib/docker, driver overlay2\n' +
        'The identity before: id own, root /var/lib/docker, driver overlay2\n' +
        '1 container is accepted as gone: game-1\n',
    );
    expect(cli.written.stderr).toContain('will be reported as missing');
    expect(closed.times).toBe(1);
  });

  it('engines accept prints the first 20 games, and all of them with --json', async () => {
    const many = async () => {
      const opened = fakeEngines();
      await opened.engines.seen('default', OWN);
      for (let n = 10; n < 35; n += 1) {
        const containerId = String(n).repeat(32);
        opened.state.records.set(`g${n}`, aRecord({ gameId: `g${n}`, currentContainerId: containerId }));
        await opened.containerLooks.foundGone({ engine: 'default', gameId: `g${n}`, containerId, jobId: '1' });
      }
      return opened.backend;
    };
    const told = fakeCli(await many());
    const json = fakeCli(await many());
    await told.run('engines', 'accept', 'default');
    expect(await json.run('engines', 'accept', 'default', '--by', 'kim', '--json')).toBe(0);
    expect(told.written.stdout).toMatch(/^25 containers are accepted as gone: g10, .*, g29, and 5 more\n$/);
    expect(told.written.stderr).toBe('');
    const { gone, ...rest } = json.json() as { readonly gone: readonly string[] };
    expect([gone.length, gone.at(-1)]).toEqual([25, 'g34']);
    expect(rest).toMatchObject({ accepted: true, replaced: null, engine: { name: 'default', acceptedBy: 'kim' } });
  });

  it('engines accept ends with 0 and says so when there is nothing to accept', async () => {
    const { backend, engines } = fakeEngines();
    await engines.seen('default', OWN);
    const told = fakeCli(backend);
    const json = fakeCli(backend);
    expect(await told.run('engines', 'accept', 'default')).toBe(0);
    expect(await json.run('engines', 'accept', 'default', '--json')).toBe(0);
    expect(told.written).toEqual({
      stdout: 'There is nothing to accept: the engine "default" has its own identity and no missing container.\n',
      stderr: '',
    });
    expect(json.json()).toMatchObject({ accepted: false, replaced: null, gone: [] });
    expect(await engines.list()).toMatchObject([{ acceptedAt: null, acceptedBy: null }]);
  });

  it('engines accept ends with 1 for an unknown engine, and names those that are known', async () => {
    const { backend, closed } = await troubledEngine();
    const told = fakeCli(backend);
    const json = fakeCli(backend);
    expect(await told.run('engines', 'accept', 'defalt')).toBe(1);
    expect(await json.run('engines', 'accept', 'defalt', '--json')).toBe(1);
    const message = 'no worker has used an engine named "defalt"; known: default';
    expect(told.written).toEqual({ stdout: '', stderr: `runtime-cleanup: ${message}\n` });
    expect(JSON.parse(json.written.stderr)).toEqual({ error: { code: 'not_found', message } });
    const none = fakeCli(fakeEngines().backend);
    expect(await none.run('engines', 'accept', 'default')).toBe(1);
    expect(none.written.stderr).toContain('none has been used yet');
    expect(closed.times).toBe(2);
  });

  it.each([
    ['no name', [], "missing required argument 'name'"],
    ['a blank actor', ['default', '--by', ' '], '--by is empty'],
    ['a long actor', ['default', '--by', 'x'.repeat(101)], '--by has 101 characters'],
  ])('engines accept ends with 2 for %s, and accepts nothing', async (_situation, args, says) => {
    const { backend, engines } = await troubledEngine();
    const cli = fakeCli(backend);
    expect(await cli.run('engines', 'accept', ...args)).toBe(2);
    expect(cli.written.stderr).toContain(says);
    expect(await engines.list()).toMatchObject([{ observed: OTHER, missing: 1 }]);
  });
});
