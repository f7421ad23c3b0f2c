/**
 * The image's HEALTHCHECK, which the engine runs beside the service: exit 0 healthy, 1 unhealthy, with one line that says
 * why.
 *
 * The same image runs the worker, the API and every other command, and only some of them listen. A process that does not
 * listen (it accepts no connection) is healthy while it runs, which the engine checks itself. A process that listens and
 * does not answer is unhealthy. With `--listening`, a process that does not listen is unhealthy too.
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

interface Health {
  readonly healthy: boolean;
  readonly reason: string;
}

async function check({ mustListen }: { readonly mustListen: boolean }): Promise<Health> {
  // Without readConfig, which takes longer to load than all the rest: this runs every few seconds.
  const given = processEnvironment()['RTMANAGER_INTERNAL_HTTP_ADDR']?.trim() || DEFAULT_HTTP_ADDRESS;
  const listening = parseHttpAddress(given);
  if (listening === undefined)
    return { healthy: false, reason: `RTMANAGER_INTERNAL_HTTP_ADDR: "${given}" is not an address` };
  const address = formatHttpAddress(whereToAsk(listening));
  const status = await ask(`http://${address}/healthz`);
  if (status === null) return { healthy: !mustListen, reason: `nothing listens at ${address}` };
  return { healthy: status === 200, reason: `${address} answers ${status}` };
}

check({ mustListen: process.argv.includes('--listening') }).then(
  ({ healthy, reason }) => {
    process.stdout.write(`${reason}\n`);
    process.exitCode = healthy ? 0 : 1;
  },
  (error: unknown) => {
    process.stdout.write(`${messageOf(error)}\n`);
    process.exitCode = 1;
  },
);
