import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateApi } from 'swagger-typescript-api';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createJobWaiter } from '../../../src/adapters/bullmq/lookup/wait-for-jobs.js';
import { createJobLookup } from '../../../src/adapters/bullmq/lookup/job-lookup.js';
import { createCleanupQueue } from '../../../src/adapters/bullmq/producer/cleanup-queue.js';
import { createCleanupWorker } from '../../../src/adapters/bullmq/worker/cleanup-worker.js';
import { createHttpServer } from '../../../src/adapters/http/server.js';
import { systemClock } from '../../../src/async/clock.js';
import { completed, deadLetter, abandonedByQueue, scripted } from '../../support/queue/queue-scripts.js';
import { startStore } from '../../support/queue/queue-stores.js';
import { httpParts, httpSettings } from '../../support/http-parts.js';

const TOKEN = 'a-token-of-sixteen';

interface Answer<Data> {
  readonly status: number;
  readonly data: Data;
  readonly error: { readonly error: { readonly code: string; readonly message: string } };
  readonly headers: Headers;
}
type Call<Data> = (...args: readonly unknown[]) => Promise<Answer<Data>>;

/** The calls of the generated client that these tests use; its own types do not exist when this file is compiled. */
interface Client {
  readonly api: {
    readonly listRuntimes: Call<{ items: { gameId: string; cleanup_due_at: string | null }[]; next: string | null }>;
    readonly getRuntime: Call<{ retention: { verdict: string } }>;
    readonly cleanUpContainer: Call<{ gameId?: string; status?: string; jobId?: string; state?: string }>;
    readonly getCleanup: Call<{ state: string; gameId: string; result: { outcome: string } }>;
    readonly replayDeadLetters: Call<{ replayed: number }>;
  };
}
type ClientClass = new (config: object) => Client;

/** A public tool generates the client from the served document into a temporary folder. */
async function generateClient(origin: string, folder: string): Promise<ClientClass> {
  const answer = await fetch(`${origin}/openapi.json`, { headers: { authorization: `Bearer ${TOKEN}` } });
  const input = join(folder, 'openapi.json');
  await writeFile(input, await answer.text());
  await generateApi({ input, output: folder, fileName: 'client.ts', cleanOutput: false, silent: true });
  const generated = (await import(join(folder, 'client.ts'))) as { readonly Api: ClientClass };
  return generated.Api;
}

const closers: (() => Promise<unknown>)[] = [];
let client: Client;
let Api: ClientClass;
let origin: string;

beforeAll(async () => {
  const store = await startStore('redis');
  const space = await store.space();
  const deps = { backend: space.backend, clock: systemClock, report: space.report };
  const consumer = scripted(({ payload }) => {
    const { gameId } = payload as { gameId: string };
    return gameId === 'missing-game' ? deadLetter('not_found: there is no runtime record') : completed(gameId);
  });
  const worker = createCleanupWorker({ ...deps, consumer, abandoned: abandonedByQueue });
  const [queue, jobWaiter, jobs] = [createCleanupQueue(deps), createJobWaiter(deps), createJobLookup(deps)];
  const server = createHttpServer({ ...httpParts(), queue, jobWaiter, jobs }, httpSettings({ tokens: [TOKEN] }));
  const folder = await mkdtemp(join(tmpdir(), 'generated-client-'));
  closers.push(
    server.close,
    () => worker.stop({ graceMs: 0 }),
    ...[queue, jobWaiter, jobs, space].map(({ close }) => close),
    store.stop,
    () => rm(folder, { recursive: true }),
  );
  await worker.start();
  origin = `http://127.0.0.1:${await server.listen()}`;
  Api = await generateClient(origin, folder);
  client = new Api({ baseUrl: origin, baseApiParams: { headers: { authorization: `Bearer ${TOKEN}` } } });
});
afterAll(async () => {
  for (const close of closers) await close();
});

const waiting = { headers: { prefer: 'wait=20', 'x-galaxy-caller': 'gm' } };

it('a generated client lists records', async () => {
  const { status, data } = await client.api.listRuntimes({ status: 'stopped', limit: 2 });
  expect(status).toBe(200);
  expect(data.items.map(({ gameId, cleanup_due_at: dueAt }) => [gameId, dueAt])).toEqual([
    ['a', '2026-04-01T00:00:00.000Z'],
    ['b', '2026-04-01T00:00:00.000Z'],
  ]);
});

it.each(['123', 'a:b', 'a/b', '🎲', '100%', '<b>'])(
  'a generated client requests the cleanup of %s, waits for its result, and reads its job',
  async (gameId) => {
    const path = encodeURIComponent(gameId);
    const { status, data, headers } = await client.api.cleanUpContainer(path, waiting);
    expect([status, data.gameId, data.status]).toEqual([200, gameId, 'removed']);
    expect(headers.get('preference-applied')).toBe('wait=20');
    const jobId = headers.get('location')?.split('/').at(-1) ?? '';
    const job = await client.api.getCleanup(jobId);
    expect(job.data).toMatchObject({ state: 'completed', gameId, result: { outcome: 'success' } });
  },
);

it('a generated client receives the reason of a failed cleanup', async () => {
  const refused = client.api.cleanUpContainer('missing-game', waiting);
  const problem = { error: { code: 'not_found', message: 'there is no runtime record' } };
  await expect(refused).rejects.toMatchObject({ status: 404, error: problem });
});

it('a generated client receives the codes of a missing record, an invalid body and a missing token', async () => {
  const missing = { status: 404, error: { error: { code: 'not_found' } } };
  await expect(client.api.getRuntime('missing-game')).rejects.toMatchObject(missing);
  const wrong = { status: 400, error: { error: { code: 'invalid_request' } } };
  await expect(client.api.replayDeadLetters({})).rejects.toMatchObject(wrong);
  const stranger = new Api({ baseUrl: origin });
  await expect(stranger.api.listRuntimes()).rejects.toMatchObject({ status: 401 });
});
