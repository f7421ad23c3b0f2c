/* oxlint-disable vitest/no-conditional-expect -- a property says what holds in each case */
import { connect } from 'node:net';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HttpServer } from '../../../src/adapters/http/http-ports.js';
import { createHttpServer } from '../../../src/adapters/http/server.js';
import { httpParts, httpPlatform, httpSettings, noObservations } from '../../support/http-parts.js';
import { fuzz, UNHURRIED } from '../../unit/fuzz/fuzzing.js';
import { hostileText } from '../../unit/fuzz/hostile.js';
import { type Asked, asked, storeWhatIsNamed } from '../../unit/fuzz/requests.js';

/** Far more than any of these routes may take. */
const NEVER_MS = 20_000;

const written = ({ method, url, headers, body }: Asked): Buffer => {
  const content = Buffer.from(body ?? '');
  const given = { host: 'localhost', connection: 'close', 'content-length': String(content.length), ...headers };
  const lines = Object.entries(given).map(([name, value]) => `${name}: ${value}`);
  return Buffer.concat([
    Buffer.from(`${[`${method} ${url} HTTP/1.1`, ...lines].join('\r\n')}\r\n\r\n`, 'latin1'),
    content,
  ]);
};

/** A request with something else in the middle of it, or cut short. */
const spoilt = fc
  .tuple(asked.map(written), hostileText, fc.nat(400), fc.nat(40))
  .map(([bytes, text, at, gone]) =>
    Buffer.concat([bytes.subarray(0, at), Buffer.from(text), bytes.subarray(at + gone)]),
  );

describe('any bytes over a connection', () => {
  const told = noObservations();
  const platform = httpPlatform();
  let server: HttpServer;
  let port: number;
  beforeAll(async () => {
    server = createHttpServer(httpParts(told, platform), httpSettings());
    port = await server.listen();
  });
  afterAll(() => server.close());

  /** All that the server says until it closes the connection; this side says no more after `bytes`. */
  const answerTo = (bytes: Buffer): Promise<string> =>
    new Promise((resolve, reject) => {
      const parts: Buffer[] = [];
      const socket = connect(port, '127.0.0.1');
      socket.setTimeout(NEVER_MS, () => {
        socket.destroy();
        reject(new TypeError('neither answered nor closed'));
      });
      socket.on('data', (part) => parts.push(part));
      socket.on('error', () => undefined);
      socket.on('close', () => resolve(Buffer.concat(parts).toString()));
      socket.end(bytes);
    });

  it('any bytes are answered or the connection is closed, without a bug and without a leak', UNHURRIED, async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(asked.map(written), spoilt), async (bytes) => {
        storeWhatIsNamed(platform.state, bytes.toString('latin1').split(' ', 2)[1] ?? '');
        const answer = await answerTo(bytes);
        if (answer !== '') expect(answer).toMatch(/^HTTP\/1\.1 [1-4]\d\d |^HTTP\/1\.1 503 /);
        expect(told.bugs).toEqual([]);
      }),
      fuzz(400),
    );
    // Closes at once only when no connection is left.
    const startedMs = performance.now();
    await server.close();
    expect(performance.now() - startedMs).toBeLessThan(2_500);
  });
});
