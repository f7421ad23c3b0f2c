import { gameIdProblem } from '../../../src/domain/operation.js';
import type { Hold } from '../../../src/retention/holds.js';
import type { RetentionPosition, RetentionRecord, RetentionRecords } from '../../../src/retention/ports.js';

/** A row of the pretended table. */
export interface Row {
  readonly gameId: string;
  readonly status: string;
  /** Milliseconds since the epoch, or +-Infinity. */
  readonly sinceMs: number;
  readonly hold: Hold | null;
  readonly containerId?: string | null;
}

/** Instants beyond JavaScript's sort by their sign; text that `Number` reads back is enough for a fake. */
const positionOf = ({ sinceMs, gameId }: Row): RetentionPosition => ({ since: String(sinceMs), gameId });

const byPosition = (a: Row, b: Row): number =>
  a.sinceMs === b.sinceMs ? compare(a.gameId, b.gameId) : compare(a.sinceMs, b.sinceMs);
const compare = <T extends string | number>(a: T, b: T): number => (a < b ? -1 : Number(a > b));

const isHeld = ({ hold }: Row, asOf: Date): boolean =>
  hold !== null && (hold.heldUntil === null || hold.heldUntil > asOf);

const isPastDue = (row: Row, asOf: Date, retentionMs: number): boolean =>
  row.status === 'stopped' && asOf.getTime() - row.sinceMs >= retentionMs;

export function recordAt(row: Row, asOf: Date): RetentionRecord {
  return {
    gameId: row.gameId,
    status: row.status,
    containerId: row.containerId ?? null,
    since: Number.isFinite(row.sinceMs) ? new Date(row.sinceMs) : null,
    stoppedForMs: asOf.getTime() - row.sinceMs,
    hold: isHeld(row, asOf) ? row.hold : null,
    position: positionOf(row),
  };
}

/** Retention's view of rows in memory. `read` gives the rows as they are when a question is asked. */
export function createFakeRetentionRecords(read: () => readonly Row[], now: () => Date): RetentionRecords {
  return {
    now: async () => now(),
    census: async (retentionMs, except) => {
      const [asOf, rows] = [now(), read()];
      const count = (status: string): number => rows.filter((row) => row.status === status).length;
      const past = rows.filter((row) => isPastDue(row, asOf, retentionMs) && isGameId(row.gameId));
      const free = past.filter((row) => !isHeld(row, asOf));
      const due = free.filter(({ gameId }) => !except.includes(gameId));
      const oldestMs = Math.min(...due.map(({ sinceMs }) => sinceMs));
      return {
        asOf,
        running: count('running'),
        stopped: count('stopped'),
        removed: count('removed'),
        due: due.length,
        held: past.length - free.length,
        excepted: free.length - due.length,
        lagMs: due.length === 0 ? 0 : Math.min(asOf.getTime() - oldestMs - retentionMs, Number.MAX_SAFE_INTEGER),
      };
    },
    stopped: async ({ asOf, stoppedForMs, after, limit }) => {
      const start = after === null ? null : { gameId: after.gameId, sinceMs: Number(after.since) };
      return read()
        .filter(({ status }) => status === 'stopped')
        .filter((row) => stoppedForMs === null || isPastDue(row, asOf, stoppedForMs))
        .filter((row) => start === null || byPosition(row, { ...row, ...start }) > 0)
        .toSorted(byPosition)
        .slice(0, limit)
        .map((row) => recordAt(row, asOf));
    },
    find: async (gameIds) => {
      const asOf = now();
      return {
        asOf,
        records: read()
          .filter(({ gameId }) => gameIds.includes(gameId))
          .map((row) => recordAt(row, asOf)),
      };
    },
  };
}

const isGameId = (text: string): boolean => text === text.trim() && gameIdProblem(text) === undefined;
