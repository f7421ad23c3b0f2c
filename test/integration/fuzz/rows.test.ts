/* oxlint-disable vitest/no-conditional-expect -- a property says what holds in each case */
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gameIdProblem } from '../../../src/domain/operation.js';
import { FAILURE_CODES, SUCCESS_CODES } from '../../../src/domain/error-codes.js';
import { isFullContainerId } from '../../../src/domain/runtime-record.js';
import { fakeCli } from '../../unit/cli/fake-cli.js';
import { httpWorld } from '../../unit/adapters/http/http-world.js';
import { fuzz, UNHURRIED } from '../../unit/fuzz/fuzzing.js';
import { command } from '../../unit/fuzz/ids.js';
import { BIGINT_MAX, insertRows, type Row, rows } from './rows.js';
import { openRowsWorld, type RowsWorld } from './rows-world.js';

const KNOWN: readonly unknown[] = [...SUCCESS_CODES, ...FAILURE_CODES];
const API = '/api/v1/internal';
const { signal } = new AbortController();

const known = fc.constantFrom('running', 'stopped', 'stopped', 'stopped', 'removed');
const anyStatus = fc.oneof(
  known,
  fc.constantFrom('', 'STOPPED', ' stopped', 'paused', "stopped'; --", '\u202Estopped'),
);

const isGameId = (id: string): boolean => id === id.trim() && gameIdProblem(id) === undefined;
const isForSure = (row: Row, name: string): boolean => row[name] === BIGINT_MAX;

/** How a cleanup of such a row ends when its lease is free. */
function codeFor(row: Row): string {
  if (!isGameId(row['game_id'] ?? '')) return 'any';
  switch (row['status']) {
    case 'removed':
      return 'replay_no_op';
    case 'running':
      return isForSure(row, 'status') ? 'any' : 'conflict';
    case 'stopped':
      break;
    default:
      return 'internal_error';
  }
  // The fence cannot be bumped any more.
  if (isForSure(row, 'lease_epoch')) return 'internal_error';
  const id = row['current_container_id'] ?? null;
  return id === null || id === '' || isFullContainerId(id) ? '' : 'container_mismatch';
}

describe('rows that other services have written', () => {
  let world: RowsWorld;
  beforeAll(async () => {
    world = await openRowsWorld();
  });
  afterAll(() => world.close());

  /** The columns of other services in every record, byte for byte. */
  const theirs = async (): Promise<unknown> => {
    const { rows: found } = await world.pool.query(`
      SELECT game_id, current_image_ref, engine_endpoint, state_path, docker_network, started_at::text, stopped_at::text,
             created_at::text, theirs
      FROM runtime_records ORDER BY game_id`);
    return found;
  };

  const cleanedUp = async (row: Row): Promise<void> => {
    const id = row['game_id'] ?? '';
    const held = await world.pool.query('SELECT FROM game_leases WHERE game_id = $1 AND expires_at > now()', [
      id.trim(),
    ]);
    const worn = await world.pool.query('SELECT FROM game_leases WHERE game_id = $1 AND fence = $2', [
      id.trim(),
      BIGINT_MAX,
    ]);
    const first = await world.service.handle(command(id), signal);
    expect(KNOWN).toContain(first.errorCode);
    const second = await world.service.handle(command(id), signal);
    expect(second.errorCode).toBe(first.errorCode === '' ? 'replay_no_op' : first.errorCode);
    const expected = codeFor(row);
    if (expected === 'any') return;
    if (held.rowCount !== 0) expect(first.errorCode).toBe('conflict');
    else if (worn.rowCount !== 0) expect(first.errorCode).toBe('internal_error');
    else expect(first.errorCode).toBe(expected);
  };

  const listed = async (): Promise<readonly string[]> => {
    const ids: string[] = [];
    for (let after: string | undefined; ;) {
      const page = await world.queries.listRecords({ after, limit: 3 });
      ids.push(...page.items.map(({ gameId }) => gameId));
      if (page.next === null) return ids;
      after = page.next;
    }
  };

  const planned = async (includeNotDue: boolean): Promise<readonly string[]> => {
    const ids: string[] = [];
    for (let after: string | undefined; ;) {
      const page = await world.retention.plan({ includeNotDue, after, limit: 4 });
      ids.push(...page.items.filter(({ verdict }) => includeNotDue || verdict === 'due').map(({ gameId }) => gameId));
      if (page.next === null) return ids;
      after = page.next;
    }
  };

  it.each([
    ['as the tables allow', known, false],
    ['with any status, after the constraint was dropped', anyStatus, true],
  ])(
    'rows of other services are cleaned up, each with a stable code, and keep their other columns: %s',
    UNHURRIED,
    async (_what, status, drop) => {
      if (drop)
        await world.pool.query('ALTER TABLE runtime_records DROP CONSTRAINT IF EXISTS runtime_records_status_check');
      await fc.assert(
        fc
          .asyncProperty(rows(status), async (tables) => {
            await insertRows(world.pool, tables);
            const before = await theirs();
            for (const row of tables.runtime_records) await cleanedUp(row);
            expect(await theirs()).toEqual(before);
            expect(world.told.lost).toEqual([]);
            expect(world.told.removed.filter((id) => !isFullContainerId(id))).toEqual([]);
          })
          .beforeEach(() => world.clear()),
        fuzz(12),
      );
    },
  );

  it('rows of other services are listed, planned and swept alike', UNHURRIED, async () => {
    await fc.assert(
      fc
        .asyncProperty(rows(anyStatus), async (tables) => {
          await insertRows(world.pool, tables);
          const ids = tables.runtime_records.map((row) => row['game_id'] ?? '');
          expect((await listed()).toSorted()).toEqual(ids.toSorted());
          const stopped = tables.runtime_records
            .filter(({ status }) => status === 'stopped')
            .map((row) => row['game_id'] ?? '');
          expect((await planned(true)).toSorted()).toEqual(stopped.toSorted());

          const due = await planned(false);
          const judged = await world.retention.judge(ids);
          expect(judged.size).toBe(ids.length);
          expect(
            [...judged.values()]
              .filter(({ verdict }) => verdict === 'due')
              .map(({ gameId }) => gameId)
              .toSorted(),
          ).toEqual(due.toSorted());
          expect((await world.retention.summary()).due).toBe(due.length);
          expect(await world.retention.sweep({ signal })).toMatchObject({ status: 'done', planned: due.length });
          expect(world.told.swept.toSorted()).toEqual(due.toSorted());
          expect(due.filter((id) => !isGameId(id))).toEqual([]);
        })
        .beforeEach(() => world.clear()),
      fuzz(12),
    );
  });

  it('rows of other services are answered over HTTP', UNHURRIED, async () => {
    const { app, bugs } = await httpWorld({ records: world.queries, retention: world.retention });
    await fc.assert(
      fc
        .asyncProperty(rows(anyStatus), async (tables) => {
          await insertRows(world.pool, tables);
          const games = tables.runtime_records.map((row) => row['game_id'] ?? '').filter(isGameId);
          const ofGames = games.slice(0, 4).flatMap((id) => {
            const path = `${API}/runtimes/${encodeURIComponent(id === '.' || id === '..' ? `${id} ` : id)}`;
            return [path, `${path}/operations`];
          });
          const paths = [
            `${API}/runtimes?limit=1000`,
            `${API}/retention/plan?all=true&limit=1000`,
            '/admin',
            ...ofGames,
          ];
          for (const path of paths) {
            const answer = await app.inject(path);
            expect([path, answer.statusCode, bugs]).toEqual([path, 200, []]);
          }
        })
        .beforeEach(() => world.clear()),
      fuzz(8),
    );
  });

  it('rows of other services are shown on the command line, for people and for programs', UNHURRIED, async () => {
    const environment = { DATABASE_URL: 'postgresql://db/games' };
    await fc.assert(
      fc
        .asyncProperty(rows(anyStatus), async (tables) => {
          await insertRows(world.pool, tables);
          const game = tables.runtime_records.map((row) => row['game_id'] ?? '').find(isGameId) ?? 'none';
          const commands = [['records', '--all'], ['holds'], ['sweep', '--dry-run', '--all'], ['log', '--', game]];
          for (const [name = '', ...args] of commands) {
            const people = fakeCli(world.cli, { environment });
            expect([name, await people.run(name, ...args), people.written.stderr.includes('bug')]).toEqual([
              name,
              0,
              false,
            ]);
            // oxlint-disable-next-line no-control-regex -- what would steer the terminal
            expect(/[\u0000-\u0009\u000B-\u001F\u007F-\u009F]/.test(people.written.stdout)).toBe(false);
            const programs = fakeCli(world.cli, { environment });
            expect([name, await programs.run(name, '--json', ...args)]).toEqual([name, 0]);
            expect(programs.json()).toBeTypeOf('object');
          }
        })
        .beforeEach(() => world.clear()),
      fuzz(8),
    );
  });
});
