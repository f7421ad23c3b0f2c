import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, inject, test, vi } from 'vitest';
import { createDocker, pingEngine, reconnect } from '../../../src/adapters/docker/connection.js';
import { systemClock } from '../../../src/async/clock.js';
import { UnavailableError } from '../../../src/domain/errors.js';
import { startEngineFaultProxy } from '../../support/engine/engine-fault-proxy.js';
import { createManualClock } from '../../support/manual-clock.js';

const ENGINE_FACTS = {
  version: expect.stringMatching(/^\d+\.\d+/) as string,
  apiVersion: expect.stringMatching(/^1\.\d+$/) as string,
  os: 'linux',
  arch: expect.stringMatching(/^(amd64|arm64)$/) as string,
};

afterEach(() => vi.unstubAllEnvs());

/** A server that calls itself an engine, with its name as its version. */
async function startNamed(socketPath: string, name: string): Promise<Server> {
  const facts = JSON.stringify({ Version: name, ApiVersion: '1.41', Os: 'linux', Arch: 'arm64' });
  const server = createServer((_request, response) => void response.end(facts));
  await new Promise<void>((resolve) => void server.listen(socketPath, resolve));
  return server;
}

describe('asking which engine answers', () => {
  const ping = (host: string) => pingEngine({ docker: createDocker({ host }), clock: systemClock, timeoutMs: 30_000 });

  test('pingEngine returns the version of the engine', async () => {
    expect(await ping(`unix://${inject('engineSocket')}`)).toEqual(ENGINE_FACTS);
  });

  test('pingEngine reaches the engine of the settings, also when the environment names another', async () => {
    vi.stubEnv('DOCKER_HOST', 'tcp://127.0.0.1:1');
    vi.stubEnv('DOCKER_TLS_VERIFY', '1');
    expect(await ping(`unix://${inject('engineSocket')}`)).toEqual(ENGINE_FACTS);
  });

  test.each([
    ['IPv4', '127.0.0.1', '127.0.0.1'],
    ['IPv6', '::1', '[::1]'],
  ])('pingEngine reaches an engine over %s', async (_family, address, inUrl) => {
    const paths: unknown[] = [];
    const server = createServer((request, response) => {
      paths.push(request.url);
      response.end(JSON.stringify({ Version: '1.2.3', ApiVersion: '1.41', Os: 'linux', Arch: 'arm64' }));
    });
    await new Promise<void>((resolve) => void server.listen(0, address, resolve));
    const { port } = server.address() as AddressInfo;
    try {
      expect(await ping(`tcp://${inUrl}:${port}`)).toMatchObject({ version: '1.2.3' });
      expect(paths).toEqual(['/version']);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  test.each([
    ['fresh', 'the engine that answers there now'],
    ['kept', 'the engine that answered there before, until it reconnects'],
  ] as const)('a client with %s connections asks, at an address that changed hands, %s', async (connections, _whom) => {
    const folder = await mkdtemp(join(tmpdir(), 'engines-'));
    const address = join(folder, 'engine.sock');
    const engines = await Promise.all(['one', 'two'].map((name) => startNamed(join(folder, name), name)));
    const docker = createDocker({ host: `unix://${address}`, connections });
    const ask = async () => (await pingEngine({ docker, clock: systemClock, timeoutMs: 30_000 })).version;
    try {
      await symlink(join(folder, 'one'), address);
      expect(await ask()).toBe('one');
      await rm(address);
      await symlink(join(folder, 'two'), address);
      expect(await ask()).toBe(connections === 'fresh' ? 'two' : 'one');
      reconnect(docker);
      expect(await ask()).toBe('two');
    } finally {
      for (const engine of engines) engine.close().closeAllConnections();
      await rm(folder, { recursive: true });
    }
  });

  test('pingEngine rejects without a listener, and names the address', async () => {
    const asked = ping('unix:///tmp/no-such-folder/engine.sock');
    await expect(asked).rejects.toThrow(UnavailableError);
    await expect(asked).rejects.toThrow(/does not answer: connect ENOENT \/tmp\/no-such-folder\/engine\.sock/);
  });

  test('pingEngine rejects when the answer is not from an engine', async () => {
    const proxy = await startEngineFaultProxy({
      engineSocket: inject('engineSocket'),
      rule: () => ({ kind: 'status', status: 200, message: 'welcome' }),
    });
    try {
      await expect(ping(`unix://${proxy.socketPath}`)).rejects.toThrow('what answers is no container engine');
    } finally {
      await proxy.close();
    }
  });

  test.each([{ kind: 'hang' } as const, { kind: 'truncated-body' } as const])(
    'pingEngine rejects when its time is over: %o',
    async (fault) => {
      const proxy = await startEngineFaultProxy({ engineSocket: inject('engineSocket'), rule: () => fault });
      const clock = createManualClock();
      try {
        const docker = createDocker({ host: `unix://${proxy.socketPath}` });
        const failure = pingEngine({ docker, clock, timeoutMs: 2_000 }).catch((error: unknown) => error);
        await proxy.until(() => expect(proxy.requests()).toHaveLength(1));
        await clock.advance(2_000);
        expect(await failure).toMatchObject({
          name: 'UnavailableError',
          message: expect.stringContaining('within 2000 ms') as string,
        });
      } finally {
        await proxy.close();
      }
    },
  );
});
