/**
 * A process that uses the embedded PostgreSQL: prints its URL and obeys lines on its input: `stop` (leave the server),
 * `forget` (let go of everything without leaving it). It ends by itself when nothing is left to do, with exit code 3.
 */
import { createInterface } from 'node:readline';
import { startEmbeddedPostgres } from '../../../../src/adapters/postgres/embedded/embedded-postgres.js';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'beforeExit', 'exit'];
const listeners = (): number => signals.reduce((sum, signal) => sum + process.listenerCount(signal), 0);

const [dataDir = ''] = process.argv.slice(2);
process.exitCode = 3;
const before = listeners();
const server = await startEmbeddedPostgres({ dataDir, log: (line) => process.stderr.write(`${line}\n`) });
process.stdout.write(`${JSON.stringify({ url: server.url, listenersAdded: listeners() - before })}\n`);

const input = createInterface({ input: process.stdin });
input.on('line', (line) => {
  input.close();
  process.stdin.unref();
  if (line === 'stop') void server.stop();
});
