import type { CommandBackend } from '../../../src/cli/command-context.js';
import type { BulkOptions, DeadLetter, DeadLetters, DeadLetterStory } from '../../../src/jobs/dead-letters.js';
import type { Hold, Holds, NewHold } from '../../../src/retention/holds.js';
import type { Judgement } from '../../../src/retention/judge-record.js';
import type { Retention, RetentionSummary } from '../../../src/retention/retention-service.js';
import { aRecord, CONTAINER_ID } from '../../support/records.js';

const refuse = async (): Promise<never> => {
  throw new TypeError('the command asked for something this test does not give');
};

/** Counts how often what a command opened was closed. */
function counted<Handle extends object>(handle: Handle) {
  const closed = { times: 0 };
  const opened = {
    ...handle,
    close: async () => {
      closed.times += 1;
    },
  };
  return { closed, open: async () => opened };
}

export const AS_OF = new Date('2026-03-01T00:00:00Z');

export const aJudgement = (over: Partial<Judgement> = {}): Judgement => ({
  gameId: 'game-1',
  status: 'stopped',
  containerId: CONTAINER_ID,
  verdict: 'due',
  stoppedSince: new Date('2026-01-02T10:00:00Z'),
  dueAt: new Date('2026-02-01T10:00:00Z'),
  hold: null,
  deadLetter: null,
  ...over,
});

export const aSummary = (over: Partial<RetentionSummary> = {}): RetentionSummary => ({
  asOf: AS_OF,
  running: 3,
  stopped: 10,
  removed: 7,
  due: 2,
  held: 0,
  deadLetters: 0,
  lagMs: 3_600_000,
  retentionMs: 30 * 86_400_000,
  refusal: null,
  ...over,
});

export function fakeRetention(parts: Partial<Retention>) {
  const { closed, open } = counted({
    retention: {
      plan: async () => ({ asOf: AS_OF, items: [], next: null }),
      judge: refuse,
      summary: async () => aSummary(),
      sweep: refuse,
      ...parts,
    } satisfies Retention,
  });
  return { closed, backend: { openRetention: open } satisfies Partial<CommandBackend> };
}

export const aHold = (over: Partial<Hold> = {}): Hold => ({
  gameId: 'game-1',
  reason: 'evidence',
  heldBy: 'kim',
  heldUntil: null,
  ...over,
});

/** Holds in memory; of the games in `known` there is a record. */
export function fakeHolds(start: readonly Hold[] = [], known: readonly string[] = ['game-1']) {
  const stored = new Map(start.map((hold) => [hold.gameId, hold]));
  const puts: NewHold[] = [];
  const holds: Holds = {
    put: async (asked) => {
      puts.push(asked);
      const { gameId, reason, heldBy, end } = asked;
      const heldUntil = end !== null && 'until' in end ? end.until : null;
      const replaced = stored.get(gameId) ?? null;
      const hold = { gameId, reason, heldBy, heldUntil };
      stored.set(gameId, hold);
      return { hold, replaced };
    },
    remove: async (gameId) => {
      const hold = stored.get(gameId);
      stored.delete(gameId);
      return hold;
    },
    list: async ({ after = '', limit }) => {
      const rest = [...stored.values()].filter(({ gameId }) => gameId > after);
      const items = rest.slice(0, limit);
      return { items, next: rest.length > limit ? (items.at(-1)?.gameId ?? null) : null };
    },
  };
  const queries = {
    listRecords: refuse,
    listOperations: refuse,
    findRecord: async (gameId: string) => (known.includes(gameId) ? aRecord({ gameId }) : undefined),
  };
  const { closed, open } = counted({ holds, queries });
  return { closed, puts, stored, backend: { openHolds: open } satisfies Partial<CommandBackend> };
}

export const aDeadLetter = (over: Partial<DeadLetter> = {}): DeadLetter => ({
  jobId: '12',
  gameId: 'game-1',
  opSource: 'admin_rest',
  sourceRef: 'ticket 7',
  code: 'conflict',
  message: 'the runtime is running; stop it first',
  failedAt: new Date('2026-01-02T10:00:00.250Z'),
  enqueuedAt: new Date('2026-01-02T09:00:00Z'),
  replays: 0,
  ...over,
});

export const aStory = (over: Partial<DeadLetterStory> = {}): DeadLetterStory => ({
  ...aDeadLetter(),
  jobName: 'cleanup_container',
  payload: { gameId: 'game-1', opSource: 'admin_rest' },
  attempts: [],
  pastLives: [],
  ...over,
});

/** Work on many that tells its progress one by one. */
export const bulkOf =
  (total: number, skipped = 0) =>
  async (_filter: unknown, { onProgress }: BulkOptions) => {
    for (let done = 0; done <= total; done += 1) onProgress?.({ done, total });
    return { done: total - skipped, skipped };
  };

export function fakeDeadLetters(parts: Partial<DeadLetters>) {
  const { closed, open } = counted({
    deadLetters: {
      list: refuse,
      find: refuse,
      countByCode: refuse,
      replay: refuse,
      purge: refuse,
      replayAll: refuse,
      purgeAll: refuse,
      close: refuse,
      ...parts,
    } satisfies DeadLetters,
  });
  return { closed, backend: { openDeadLetters: open } satisfies Partial<CommandBackend> };
}
