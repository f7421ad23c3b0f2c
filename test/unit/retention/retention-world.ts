import { gameIdProblem } from '../../../src/domain/operation.js';
import type { Hold } from '../../../src/retention/holds.js';
import type {
  DeadLetterOf,
  RetentionPosition,
  RetentionRecord,
  RetentionRecords,
  SweepLock,
  SweepReport,
} from '../../../src/retention/ports.js';
import { createRetention } from '../../../src/retention/retention-service.js';
import type { Retention } from '../../../src/retention/retention.js';
import { NOW, RETENTION_MS } from './cases.js';

/** A row of the pretended table. */
export interface Row {
  readonly gameId: string;
  readonly status: string;
  /** Milliseconds since the epoch, or +-Infinity. */
  readonly sinceMs: number;
  readonly hold: Hold | null;
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
    containerId: null,
    since: Number.isFinite(row.sinceMs) ? new Date(row.sinceMs) : null,
    stoppedForMs: asOf.getTime() - row.sinceMs,
    hold: isHeld(row, asOf) ? row.hold : null,
    position: positionOf(row),
  };
}

/** Retention's view of rows in memory, with a clock that stands still. */
export function createFakeRecords(rows: readonly Row[], now: () => Date = () => NOW): RetentionRecords {
  return {
    now: async () => now(),
    census: async (retentionMs, except) => {
      const asOf = now();
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
      return rows
        .filter(({ status }) => status === 'stopped')
        .filter((row) => stoppedForMs === null || isPastDue(row, asOf, stoppedForMs))
        .filter((row) => start === null || byPosition(row, { ...row, ...start }) > 0)
        .toSorted(byPosition)
        .slice(0, limit)
        .map((row) => recordAt(row, asOf));
    },
    find: async (gameIds) => {
      const asOf = now();
      return { asOf, records: rows.filter(({ gameId }) => gameIds.includes(gameId)).map((row) => recordAt(row, asOf)) };
    },
  };
}

const isGameId = (text: string): boolean => text === text.trim() && gameIdProblem(text) === undefined;

export interface WorldOptions {
  readonly dead?: ReadonlyMap<string, DeadLetterOf>;
  readonly maxShare?: number;
  /** Called for each request to the queue, before it is carried out. */
  readonly onRequest?: (gameIds: readonly string[]) => Promise<void> | void;
  readonly lock?: SweepLock;
}

export interface RetentionWorld {
  readonly retention: Retention;
  readonly records: RetentionRecords;
  /** The queue's live cleanups, in the order of their making. */
  readonly live: Set<string>;
  readonly reports: readonly SweepReport[];
  readonly skipped: readonly string[];
  /** Jobs that the observer was told of. */
  readonly counted: () => number;
}

export function createWorld(rows: readonly Row[], options: WorldOptions = {}): RetentionWorld {
  const { dead = new Map<string, DeadLetterOf>(), maxShare = 0.5, onRequest } = options;
  const records = createFakeRecords(rows);
  const live = new Set<string>();
  const reports: SweepReport[] = [];
  const skipped: string[] = [];
  let counted = 0;
  const retention = createRetention(
    {
      records,
      deadLetters: {
        among: async (ids) => new Map([...dead].filter(([gameId]) => ids === 'all' || ids.includes(gameId))),
      },
      requests: {
        request: async (gameIds) => {
          await onRequest?.(gameIds);
          const before = live.size;
          for (const gameId of gameIds) live.add(gameId);
          const enqueued = live.size - before;
          return { enqueued, coalesced: gameIds.length - enqueued };
        },
      },
      lock: options.lock ?? { exclusively: (work) => work() },
      observer: {
        enqueued: (jobs) => {
          counted += jobs;
        },
        skipped: (gameId) => skipped.push(gameId),
        ended: (report) => reports.push(report),
      },
    },
    { retentionMs: RETENTION_MS, maxShare },
  );
  return { retention, records, live, reports, skipped, counted: () => counted };
}
