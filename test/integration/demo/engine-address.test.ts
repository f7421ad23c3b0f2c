import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { EMPTY_ENGINE, type EngineAddress, openEngineAddress } from '../../../demo/platform/engine-address.js';
import { createDocker, identifyEngine, pingEngine } from '../../../src/adapters/docker/connection.js';
import { createContainerEngine } from '../../../src/adapters/docker/container-engine.js';
import { systemClock } from '../../../src/async/clock.js';

const real = `unix://${inject('engineSocket')}`;
const asking = (host: string) => ({
  docker: createDocker({ host, connections: 'fresh' }),
  clock: systemClock,
  timeoutMs: 10_000,
});

describe("the address of the demo's engine", () => {
  let folder: string;
  let address: EngineAddress;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'engine-address-'));
    address = await openEngineAddress({ host: real }, folder);
  });
  afterEach(async () => {
    await address.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('the address leads to the engine, to an empty one, and back', async () => {
    const owner = await identifyEngine(asking(real));
    expect(await identifyEngine(asking(address.host))).toEqual(owner);
    address.leadTo('an empty engine');
    expect(await identifyEngine(asking(address.host))).toEqual(EMPTY_ENGINE);
    expect(await pingEngine(asking(address.host))).toMatchObject({ version: '20.10.24' });
    address.leadTo('the engine');
    expect(await identifyEngine(asking(address.host))).toEqual(owner);
  });

  it('the empty engine has no container, neither by id nor by label', async () => {
    address.leadTo('an empty engine');
    const engine = createContainerEngine(asking(address.host));
    const { signal } = new AbortController();
    expect(await engine.look('a'.repeat(64), signal)).toEqual({ kind: 'gone' });
    expect(await engine.remove('a'.repeat(64), signal)).toEqual({ kind: 'gone', ours: false });
    expect(await engine.labelled('game', signal)).toEqual([]);
  });

  it('the address leads to an engine that is reached over the network', async () => {
    const server = createServer((client) => {
      const engine = connect(inject('engineSocket'));
      client.pipe(engine).pipe(client);
      client.once('close', () => engine.destroy());
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await address.close();
    address = await openEngineAddress({ host: `tcp://127.0.0.1:${port}` }, folder);
    expect(await identifyEngine(asking(address.host))).toEqual(await identifyEngine(asking(real)));
    server.close();
  });

  it('a change closes the connections that are open', async () => {
    const socket = connect(address.host.replace('unix://', ''));
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
    await identifyEngine(asking(address.host));
    address.leadTo('an empty engine');
    await expect(closed).resolves.toBeUndefined();
  });

  it('only its user can use the socket, and closing removes it', async () => {
    expect(statSync(join(folder, 'engine.sock')).mode & 0o777).toBe(0o600);
    await address.close();
    expect(readdirSync(folder)).toEqual([]);
  });
});
