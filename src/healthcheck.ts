/**
 * What a container engine's HEALTHCHECK runs beside the service: exit 0 healthy, 1 not, with one line that says why.
 *
 * The one image is worker, API and every other command, and only some of them listen. Whoever does not (nothing accepts
 * a connection) is as healthy as its process, which the engine watches by itself; whoever listens and does not answer
 * is not, and neither is one that was promised to listen: `--listening`.
 */
import { get } from 'node:http';
import { processEnvironment } from './config/environment.js';
import { DEFAULT_HTTP_ADDRESS, formatHttpAddress, parseHttpAddress, whereToAsk } from './config/http-address.js';
import { messageOf } from './domain/errors.js';

const ANSWER_LIMIT_MS = 3_000;

/** The status of the answer, or null when nothing listens. Rejects when there is no answer in time. */
function ask(url: string): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const request = get(url, { signal: AbortSignal.timeout(ANSWER_LIMIT_MS) }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') resolve(null);
      else reject(error);
    });
  });
}

async function check(mustListen: boolean): Promise<{ readonly healthy: boolean; readonly said: string }> {
  // Not by readConfig, which takes longer to load than all the rest: this runs every few seconds.
  const given = processEnvironment()['RTMANAGER_INTERNAL_HTTP_ADDR']?.trim() || DEFAULT_HTTP_ADDRESS;
  const listening = parseHttpAddress(given);
  if (listening === undefined)
    return { healthy: false, said: `RTMANAGER_INTERNAL_HTTP_ADDR: "${given}" is no address` };
  const address = formatHttpAddress(whereToAsk(listening));
  const status = await ask(`http://${address}/healthz`);
  if (status === null) return { healthy: !mustListen, said: `nothing listens at ${address}` };
  return { healthy: status === 200, said: `${address} answers ${status}` };
}

check(process.argv.includes('--listening')).then(
  ({ healthy, said }) => {
    process.stdout.write(`${said}\n`);
    process.exitCode = healthy ? 0 : 1;
  },
  (error: unknown) => {
    process.stdout.write(`${messageOf(error)}\n`);
    process.exitCode = 1;
  },
);
