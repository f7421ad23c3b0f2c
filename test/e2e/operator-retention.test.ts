/** Retention in a running service: it sweeps on its own, keeps the containers that it must keep, and can be refused. */
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { RETENTION_QUEUE } from '../../src/adapters/bullmq/names.js';
import { eventually } from '../support/eventually.js';
import { type Ask, createWorld, type World } from './operator-world.js';

const SHIFTED_CLOCK = fileURLToPath(new URL('shifted-clock.mjs', import.meta.url));
const DAY_MS = 86_400_000;
/** Sweeps every second, of what was stopped two days ago and earlier. */
const SWEEPING = { RTMANAGER_CLEANUP_INTERVAL: '1s', RTMANAGER_CONTAINER_RETENTION_DAYS: '2' };

let world: World;
afterEach(() => world.end());

interface Operation {
  readonly game_id: string;
  readonly op_source: string;
  readonly source_ref: string;
  readonly outcome: string;
  readonly error_code: string;
}

const operations = async (): Promise<readonly Operation[]> => {
  const text = 'SELECT game_id, op_source, source_ref, outcome, error_code FROM operation_log ORDER BY id';
  return (await world.db.query<Operation>(text)).rows;
};

/** The games of the rows that record a first success. */
const cleanedIn = (rows: readonly Operation[]): readonly string[] =>
  rows.filter(({ error_code: code }) => code === '').map(({ game_id: gameId }) => gameId);

/**
 * Sweeps have cleaned up each of these games, once, and nothing else is in the log but this: a game that was planned
 * while its cleanup ran, and whose cleanup ended before it could be asked for, got a second job, which finds it removed.
 */
async function expectSweptOnce(gameIds: readonly string[]): Promise<void> {
  const rows = await operations();
  expect(cleanedIn(rows).toSorted()).toEqual(gameIds.toSorted());
  for (const [index, row] of rows.entries()) {
    const late = cleanedIn(rows.slice(0, index)).includes(row.game_id);
    const expected = {
      op_source: 'auto_ttl',
      source_ref: '',
      outcome: 'success',
      error_code: late ? 'replay_no_op' : '',
    };
    expect(row).toEqual({ game_id: row.game_id, ...expected });
  }
}

/** Sweeps by hand, as soon as no sweep of the service is running. */
const sweepByHand = (
  ...args: readonly string[]
): Promise<{ readonly exitCode: number | null; readonly said: string }> =>
  eventually(
    async () => {
      const sweep = world.run(['sweep', ...args], SWEEPING);
      const ended = { exitCode: await sweep.exit, said: sweep.stderr() };
      expect(ended.said).not.toContain('another sweep is running');
      return ended;
    },
    { withinMs: 60_000 },
  );

const sweepsEnded = (ask: Ask, status: string): Promise<number> =>
  ask('GET', '/metrics').then(({ text }) =>
    Number(
      new RegExp(`^rtmanager_retention_sweeps(?:_total)?\\{.*status="${status}".*\\} (\\d+)`, 'm').exec(text)?.[1] ?? 0,
    ),
  );

/** Resolves once so many more sweeps have ended. */
async function untilMoreSweeps(ask: Ask, count: number): Promise<void> {
  const before = await sweepsEnded(ask, 'done');
  await world.untilQueue(async () => expect(await sweepsEnded(ask, 'done')).toBeGreaterThanOrEqual(before + count), {
    queue: RETENTION_QUEUE,
    withinMs: 30_000,
  });
}

describe.each(['postgres', 'redis'] as const)('serve on the %s queue', (store) => {
  it('serve removes each due container once, and removes neither held containers nor those that are not due', async () => {
    world = await createWorld(store);
    const { containers } = world;
    const due = await containers.make('exited', { gameLabel: 'due' });
    const held = await containers.make('exited', { gameLabel: 'held' });
    await world.stopped('held', 3, held);
    await world.stopped('not-due', 1);
    expect(await world.command('hold', 'held', '--reason', 'evidence', '--by', 'kim')).toMatchObject({ exitCode: 0 });
    const { ask } = await world.listen('serve', SWEEPING);
    await world.stopped('due', 3, due);

    await world.untilRemoved('due');
    expect(await containers.stateOf(due)).toBe('missing');
    await untilMoreSweeps(ask, 2);
    await expectSweptOnce(['due']);
    expect(await containers.stateOf(held)).toBe('exited');
    // On a busy machine the database may take longer than the second after which the API answers 503.
    await eventually(async () =>
      expect((await ask('GET', 'runtimes/held')).body).toMatchObject({
        status: 'stopped',
        cleanup_due_at: null,
        retention: { verdict: 'held', hold: { heldBy: 'kim', reason: 'evidence' } },
      }),
    );

    expect(await world.command('unhold', 'held')).toMatchObject({ exitCode: 0 });
    await world.untilRemoved('held');
    expect(await world.statusOf('not-due')).toBe('stopped');
  });

  it.each([
    ['fast', DAY_MS],
    ['slow', -DAY_MS],
  ])('serve removes the same containers when the clock of its process is a day %s', async (_word, shiftMs) => {
    world = await createWorld(store);
    await world.stopped('due', 2.5);
    await world.stopped('not-due', 1.5);
    const { service, ask } = await world.listen('serve', {
      ...SWEEPING,
      NODE_OPTIONS: `--import ${SHIFTED_CLOCK}`,
      SHIFTED_CLOCK_MS: String(shiftMs),
    });
    const [first] = service.lines();
    const offMs = new Date(String(first?.['time'])).getTime() - Date.now();
    expect(Math.abs(offMs - shiftMs), 'the clock of the process differs').toBeLessThan(DAY_MS / 24);

    const plan = await eventually(async () => {
      const answer = await ask('GET', 'retention/plan?all=true');
      expect(answer.status).toBe(200);
      return answer.body as { items: { gameId: string; verdict: string }[] };
    });
    expect(plan.items.find(({ gameId }) => gameId === 'not-due')?.verdict).toBe('not_due');
    await world.untilRemoved('due');
    await untilMoreSweeps(ask, 2);
    expect(await world.statusOf('not-due')).toBe('stopped');
    expect(await ask('GET', '/readyz')).toMatchObject({ status: 200, body: { ready: true } });
  });
});

it('a sweep that exceeds the share enqueues nothing, and every interface reports it until it is allowed', async () => {
  world = await createWorld('postgres');
  await world.db.query(
    `INSERT INTO runtime_records (game_id, status, stopped_at, last_op_at, created_at)
     SELECT 'game-' || number, 'stopped', since, since, since
     FROM generate_series(1, 10) AS number, (SELECT now() - interval '3 days' AS since) AS clock`,
  );
  const { service, ask } = await world.listen('serve', SWEEPING);

  const reason = /10 of 10 stopped records are due.*--max-share 100%/;
  expect(await service.logged('sweep refused')).toMatchObject({ planned: 10, reason: expect.stringMatching(reason) });
  expect(await sweepsEnded(ask, 'refused')).toBeGreaterThan(0);
  await eventually(async () => {
    const { status, body } = await ask('GET', '/readyz');
    expect({ status, body }).toMatchObject({
      status: 503,
      body: {
        checks: expect.arrayContaining([{ name: 'retention', ok: false, detail: expect.stringMatching(reason) }]),
      },
    });
  });
  // On a busy machine the database may take longer than the second after which the API answers 503.
  await eventually(async () =>
    expect((await ask('GET', 'retention/plan?limit=1')).body).toMatchObject({
      summary: { due: 10, refusal: expect.stringMatching(reason) },
    }),
  );
  expect(await sweepByHand()).toEqual({ exitCode: 1, said: expect.stringMatching(reason) });
  expect(await operations()).toEqual([]);

  expect(await sweepByHand('--max-share', '100%')).toMatchObject({ exitCode: 0 });
  await world.untilQueue(async () => expect(cleanedIn(await operations())).toHaveLength(10), { withinMs: 60_000 });
  await eventually(async () => expect(await ask('GET', '/readyz')).toMatchObject({ status: 200 }), {
    withinMs: 20_000,
  });
  await untilMoreSweeps(ask, 2);
  await expectSweptOnce(Array.from({ length: 10 }, (_, index) => `game-${index + 1}`));
});
