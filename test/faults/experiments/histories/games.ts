/** Makes the games of a history, each in its situation, and the strangers around them. */
import { randomBytes } from 'node:crypto';
import type { TestContainers } from '../../../support/engine/test-containers.js';
import type { Lifecycle } from '../../laboratory/lifecycle.js';
import type { Site } from '../../laboratory/site.js';
import type { Game, Stranger } from './history.js';
import type { Schedule, Situation } from './schedule.js';

/** Longer than the retention, and shorter. */
const LONG_AGO_DAYS = 40;
const JUST_NOW_DAYS = 0;

export type Planted = Omit<Stranger, 'is'>;

const INSERT = `
INSERT INTO runtime_records (game_id, status, current_container_id, stopped_at, last_op_at, created_at)
SELECT $1, $2, $3, since, since, since FROM (SELECT now() - $4::float8 * interval '1 day' AS since) AS clock`;

/** One for each lane: they stand there all the time. */
export async function plantStrangers(containers: TestContainers): Promise<readonly Planted[]> {
  const plant = async (what: string, state: 'created' | 'running', gameLabel: string | null): Promise<Planted> => ({
    what,
    was: state,
    containerId: await containers.make(state, { gameLabel }),
  });
  return [
    await plant('a stranger without a label', 'created', null),
    await plant("another game's container", 'created', 'another game'),
    await plant('a stranger that runs', 'running', null),
  ];
}

interface Made {
  readonly games: readonly Game[];
  readonly strangers: readonly Planted[];
}

export async function makeGames(
  site: Site,
  lifecycle: Lifecycle,
  { seed, games: situations }: Schedule,
  standing: readonly Planted[],
): Promise<Made> {
  const strangers: Planted[] = [];
  const games: Game[] = [];
  for (const [number, situation] of situations.entries()) {
    const gameId = `h${seed}-${number}`;
    const made = await makeGame({ site, lifecycle, standing }, gameId, situation);
    games.push({ gameId, situation, containerId: made.containerId });
    if (made.stranger !== undefined) strangers.push(made.stranger);
  }
  return { games, strangers };
}

interface Around {
  readonly site: Site;
  readonly lifecycle: Lifecycle;
  readonly standing: readonly Planted[];
}

async function makeGame(
  { site, lifecycle, standing }: Around,
  gameId: string,
  situation: Situation,
): Promise<{ readonly containerId: string | null; readonly stranger?: Planted }> {
  const { db, containers } = site;
  const insert = async (status: string, containerId: string | null): Promise<void> =>
    void (await db.query(INSERT, [gameId, status, containerId, LONG_AGO_DAYS]));
  switch (situation) {
    case 'due':
      return { containerId: await lifecycle.create(gameId, LONG_AGO_DAYS) };
    case 'just stopped':
      return { containerId: await lifecycle.create(gameId, JUST_NOW_DAYS) };
    case 'running': {
      const containerId = await lifecycle.create(gameId, JUST_NOW_DAYS);
      await lifecycle.start(gameId);
      return { containerId };
    }
    case 'held': {
      const containerId = await lifecycle.create(gameId, LONG_AGO_DAYS);
      await db.query(`INSERT INTO retention_holds (game_id, reason, held_by) VALUES ($1, 'disputed', 'laboratory')`, [
        gameId,
      ]);
      return { containerId };
    }
    case 'removed': {
      const containerId = newId();
      await insert('removed', containerId);
      return { containerId };
    }
    case 'without container':
      await insert('stopped', null);
      return { containerId: null };
    case 'gone': {
      const containerId = newId();
      await insert('stopped', containerId);
      return { containerId };
    }
    case 'gone, its id is a name': {
      const containerId = newId();
      const namesake = await containers.make('created', { gameLabel: null, name: containerId });
      await insert('stopped', containerId);
      return { containerId, stranger: { containerId: namesake, what: 'a container named like an id', was: 'created' } };
    }
    case 'foreign': {
      const containerId = await containers.make('created', { gameLabel: `another than ${gameId}` });
      await insert('stopped', containerId);
      return { containerId, stranger: { containerId, what: "another game's container in a record", was: 'created' } };
    }
    case 'short id': {
      const containerId = (standing[0]?.containerId ?? newId()).slice(0, 12);
      await insert('stopped', containerId);
      return { containerId };
    }
    case 'no record':
      return { containerId: null };
  }
}

/** Of a container that never was. */
const newId = (): string => randomBytes(32).toString('hex');
