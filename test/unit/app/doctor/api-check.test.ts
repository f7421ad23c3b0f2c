import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { checkApi } from '../../../../src/app/doctor/api-check.js';
import { systemClock } from '../../../../src/async/clock.js';
import { read } from '../../config/reading.js';

const servers: (() => Promise<void>)[] = [];

async function listening(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  servers.push(
    () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  );
  return (server.address() as AddressInfo).port;
}

const check = (address: string) =>
  checkApi({
    config: read({ RTMANAGER_INTERNAL_HTTP_ADDR: address, RTMANAGER_API_TOKENS: 'sixteen-letters-' }),
    clock: systemClock,
    signal: new AbortController().signal,
  });

afterEach(async () => {
  for (const close of servers.splice(0)) await close();
});

describe('checkApi', () => {
  it('the API check reports ok when this service answers, for a wildcard address at the loopback address', async () => {
    const port = await listening((_request, response) => response.end('{"status":"ok"}'));
    expect(await check(`127.0.0.1:${port}`)).toEqual({ status: 'ok', detail: `answers at http://127.0.0.1:${port}` });
    expect(await check(`:${port}`)).toEqual({ status: 'ok', detail: `answers at http://127.0.0.1:${port}` });
  });

  it('the API check reports ok when the address is free', async () => {
    const port = await listening(() => undefined);
    for (const close of servers.splice(0)) await close();
    expect(await check(`127.0.0.1:${port}`)).toMatchObject({
      status: 'ok',
      detail: expect.stringContaining('is free'),
    });
  });

  it.each([
    ['answers with an error', 404, 'not found'],
    ['answers with an HTML page', 200, '<html>'],
    ['redirects', 302, ''],
  ])('the API check warns when another program %s', async (_situation, status, body) => {
    const port = await listening((_request, response) => response.writeHead(status).end(body));
    expect(await check(`127.0.0.1:${port}`)).toMatchObject({
      status: 'warn',
      advice: expect.stringContaining('RTMANAGER_INTERNAL_HTTP_ADDR'),
    });
  });

  it('the API check warns when the connection is cut', async () => {
    const port = await listening((request) => request.socket.destroy());
    expect(await check(`127.0.0.1:${port}`)).toMatchObject({ status: 'warn' });
  });
});
