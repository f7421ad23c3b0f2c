/** A game id is opaque text: it passes queue, HTTP, command line, page and log unchanged. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWorld, type Listening, type World } from './operator-world.js';

const IDS = {
  digits: '123',
  'a colon': 'a:b',
  'a slash': 'a/b',
  'a step up': '..',
  'a step in place': '.',
  'an encoded slash': 'a%2Fb',
  emoji: '🎲👩‍👩‍👧',
  '256 characters': '長'.repeat(256),
  SQL: `'; DROP TABLE runtime_records; --`,
  HTML: '<script>alert("1")</script>&amp;<!--',
  'an option of the program': '--all',
} as const;
const ids = Object.values(IDS);

let world: World;
let serving: Listening;
const containerIds = new Map<string, string>();

beforeAll(async () => {
  world = await createWorld('redis');
  serving = await world.listen('serve');
  for (const id of ids) {
    const containerId = await world.containers.make('exited', { gameLabel: id });
    containerIds.set(id, containerId);
    await world.stopped(id, 1, containerId);
  }
  await serving.service.logged('taking jobs');
});
afterAll(() => world.end());

/** Escapes the id for a path; `.` and `..` would be steps in the path otherwise. */
const pathOf = (id: string): string => `runtimes/${encodeURIComponent(id).replaceAll('.', '%2E')}`;

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };

/** What a browser makes of escaped text. */
const unescaped = (html: string): string =>
  html.replaceAll(/&(?:#x(?<hex>[\da-f]+)|#(?<decimal>\d+)|(?<name>[a-z]+));/gi, (all, ...match) => {
    const { hex, decimal, name = '' } = match.at(-1) as Record<string, string | undefined>;
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
    return decimal === undefined ? (ENTITIES[name] ?? all) : String.fromCodePoint(Number(decimal));
  });

describe.each(Object.entries(IDS))('a game id that is %s', (_what, id) => {
  it('a hostile game id is cleaned up through HTTP, and is the same in every answer and in the log', async () => {
    const { ask, service } = serving;
    const containerId = containerIds.get(id) ?? '';
    const removed = await ask('DELETE', `${pathOf(id)}/container`, { headers: { prefer: 'wait=30' } });
    expect(removed).toMatchObject({ status: 200, body: { gameId: id, status: 'removed' } });
    expect(await world.containers.stateOf(containerId)).toBe('missing');
    expect(await ask('GET', pathOf(id))).toMatchObject({ status: 200, body: { gameId: id, status: 'removed' } });
    expect(await ask('GET', `${pathOf(id)}/operations`)).toMatchObject({
      status: 200,
      body: { items: [{ gameId: id, containerId, outcome: 'success' }] },
    });
    const lines = service.lines().filter(({ msg, game_id: game }) => msg === 'cleanup succeeded' && game === id);
    expect(lines).toEqual([expect.objectContaining({ container_id: containerId })]);
  });
});

it('the command line finds a game id that looks like an option', async () => {
  const id = IDS['an option of the program'];
  const { exitCode, stdout } = await world.command('log', '--json', '--', id);
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ operations: [{ gameId: id, outcome: 'success' }] });
});

it('the admin page shows every hostile game id as text', async () => {
  const { status, text } = await serving.ask('GET', '/admin');
  expect(status).toBe(200);
  const shown = [...text.matchAll(/<bdi>(.*?)<\/bdi>/gsu)].map(([, content = '']) => unescaped(content));
  expect(shown).toEqual(expect.arrayContaining(ids.filter((id) => id.length < 80)));
  expect(text).not.toContain('<script>');
});

it('one enqueue command takes all hostile game ids, each in a job of its own', async () => {
  const { exitCode, stdout } = await world.command('enqueue', '--wait', '--json', '--', ...ids);
  expect(exitCode).toBe(0);
  const { jobs } = JSON.parse(stdout) as { jobs: { gameId: string; jobId: string; code: string }[] };
  expect(jobs.map(({ gameId }) => gameId)).toEqual(ids);
  expect(new Set(jobs.map(({ jobId }) => jobId)).size).toBe(ids.length);
  expect(jobs.map(({ code }) => code)).toEqual(ids.map(() => 'replay_no_op'));
});

it('dead letters of hostile game ids can be listed, found and replayed', async () => {
  const { ask } = serving;
  const unknown = ids.map((id) => `${id.slice(0, 250)}?`);
  for (const id of unknown) expect(await ask('DELETE', `${pathOf(id)}/container`)).toMatchObject({ status: 202 });
  const letters = await world.untilQueue(
    async () => {
      const { body } = await ask('GET', 'dead-letters?code=not_found&limit=100');
      const { items } = body as { items: { gameId: string; jobId: string }[] };
      expect(items.map(({ gameId }) => gameId).toSorted()).toEqual(unknown.toSorted());
      return items;
    },
    { withinMs: 30_000 },
  );
  for (const { gameId, jobId } of letters) {
    const found = await ask('GET', `dead-letters?game_id=${encodeURIComponent(gameId)}`);
    expect(found.body).toMatchObject({ items: [{ gameId, jobId }] });
  }
  expect(await ask('POST', 'dead-letters/replay', { body: { code: 'not_found' } })).toMatchObject({
    status: 200,
    body: { replayed: ids.length, skipped: 0 },
  });
  await world.untilQueue(
    async () => {
      const { body } = await ask('GET', 'dead-letters?limit=100');
      expect((body as { items: { replays: number }[] }).items.map(({ replays }) => replays)).toEqual(ids.map(() => 1));
    },
    { withinMs: 30_000 },
  );
  const { exitCode, stdout } = await world.command('dead-letters', 'list', '--json');
  expect(exitCode).toBe(0);
  const listed = (JSON.parse(stdout) as { deadLetters: { gameId: string }[] }).deadLetters;
  expect(listed.map(({ gameId }) => gameId).toSorted()).toEqual(unknown.toSorted());
});

it('the tables are unchanged by hostile game ids, and pages list only their records', async () => {
  const { body } = await serving.ask('GET', 'runtimes?limit=100');
  const { items } = body as { items: { gameId: string; status: string }[] };
  expect(items.map(({ gameId }) => gameId).toSorted()).toEqual([...ids].toSorted());
  const { exitCode, stdout } = await world.command('records', '--json');
  expect(exitCode).toBe(0);
  const { records } = JSON.parse(stdout) as { records: { gameId: string }[] };
  expect(records.map(({ gameId }) => gameId).toSorted()).toEqual([...ids].toSorted());
});
