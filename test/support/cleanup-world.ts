/**
 * A small world for the cleanup service's unit tests: records with a real compare-and-set, an engine and leases that do
 * as the test says, and a journal of all that happened, in order.
 */
import { type CleanupService, createCleanupService } from '../../src/cleanup/cleanup-service.js';
import type {
  ContainerState,
  EngineTurn,
  GoneBelief,
  Held,
  LabelledContainer,
  MarkRemovedAnswer,
  PresentContainer,
  RemovalAnswer,
  TakenRecord,
} from '../../src/cleanup/ports.js';
import type { CleanupCommand, OperationEntry } from '../../src/domain/operation.js';
import { DEFAULT_ENGINE, type RuntimeRecord } from '../../src/domain/runtime-record.js';
import type { Leases } from '../../src/lease/with-lease.js';
import { aRecord, CONTAINER_ID } from './records.js';

const RETENTION_MS = 10_000;

export const idle: PresentContainer = { kind: 'present', gameLabel: 'game-1', activity: 'idle', detail: 'exited' };

export function aCommand(over: Partial<CleanupCommand> = {}): CleanupCommand {
  return {
    gameId: 'game-1',
    opSource: 'admin_rest',
    sourceRef: 'request-9',
    expectedContainerId: null,
    jobId: '42',
    attempt: 3,
    ...over,
  };
}

/** Leases that are always free and never lost. */
const freeLeases: Leases = {
  withLease: async (_gameId, parent, work) => ({
    status: 'done',
    value: await work({ signal: parent, assertHeld: () => undefined }),
  }),
};

export interface World {
  readonly service: CleanupService;
  /** What was done to the world, in order: `take`, `turn`, `look`, `removal is next`, `remove`, `mark`, `release`. */
  readonly journal: string[];
  /** The operation log. */
  readonly rows: OperationEntry[];
  readonly concluded: OperationEntry[];
  readonly lostRows: unknown[];
  record: RuntimeRecord | undefined;
  stoppedForMs: number;
  held: boolean;
  look: (signal: AbortSignal) => Promise<ContainerState>;
  remove: (signal: AbortSignal) => Promise<RemovalAnswer>;
  labelled: () => Promise<readonly LabelledContainer[]>;
  /** Whether the evidence lets a container be believed gone; `removalSent` as the service says it. */
  judgeGone: (removalSent: boolean, signal: AbortSignal) => Promise<GoneBelief>;
  /** Has its row stored before it resolves. */
  removalIsNext: () => Promise<void>;
  /** What comes of asking for a turn; by default it is granted. */
  turn: (granted: EngineTurn, name: string) => EngineTurn | Held | undefined;
  take: () => Promise<TakenRecord | undefined>;
  mark: (taken: RuntimeRecord, entry: OperationEntry) => Promise<MarkRemovedAnswer>;
  append: (entry: OperationEntry) => Promise<void>;
  elapsedMs: number;
}

export function createWorld(leases: Leases = freeLeases): World {
  const journal: string[] = [];
  const rows: OperationEntry[] = [];
  const concluded: OperationEntry[] = [];
  const lostRows: unknown[] = [];
  let reads = 0;

  const world: Omit<World, 'service'> = {
    journal,
    rows,
    concluded,
    lostRows,
    record: aRecord(),
    stoppedForMs: RETENTION_MS,
    held: false,
    elapsedMs: 5,
    look: async () => idle,
    remove: async () => ({ kind: 'gone', ours: true }),
    labelled: async () => [],
    judgeGone: async (removalSent) => ({ believed: true, removal: removalSent ? 'removed' : 'already_gone' }),
    removalIsNext: async () => undefined,
    turn: (granted) => granted,
    take: async () => {
      if (world.record === undefined) return undefined;
      if (world.record.status === 'stopped') {
        world.record = { ...world.record, leaseEpoch: world.record.leaseEpoch + 1n };
      }
      return { record: world.record, stoppedForMs: world.stoppedForMs, held: world.held };
    },
    mark: async (taken, entry) => {
      const found = world.record;
      if (found === undefined) return { status: 'vanished' };
      if (found.status === 'removed') return { status: 'already_removed', record: found };
      const same =
        found.status === 'stopped' &&
        found.currentContainerId === taken.currentContainerId &&
        found.leaseEpoch === taken.leaseEpoch;
      if (!same) return { status: 'changed', record: found };
      const at = new Date('2026-03-01T00:00:00Z');
      world.record = { ...found, status: 'removed', currentContainerId: null, removedAt: at, lastOpAt: at };
      rows.push(entry);
      return { status: 'marked', record: world.record };
    },
    append: async (entry) => {
      rows.push(entry);
    },
  };

  const service = createCleanupService(
    {
      leases,
      records: {
        take: (gameId) => {
          journal.push(`take ${gameId}`);
          return world.take();
        },
        markRemoved: (taken, entry) => {
          journal.push('mark');
          return world.mark(taken, entry);
        },
      },
      engines: {
        take: async (name) => {
          journal.push(name === DEFAULT_ENGINE ? 'turn' : `turn at ${name}`);
          return world.turn(turnIn(world), name);
        },
      },
      log: { append: (entry) => world.append(entry) },
      observer: {
        concluded: (entry) => concluded.push(entry),
        auditRowLost: (_entry, cause) => lostRows.push(cause),
        leaseReleaseFailed: () => undefined,
      },
      clock: {
        now: () => new Date('2026-03-01T00:00:00Z'),
        monotonicMs: () => reads++ * world.elapsedMs,
        after: () => () => undefined,
      },
    },
    { retentionMs: RETENTION_MS },
  );
  return Object.assign(world, { service });
}

const ofOther = (containerId: string): string => (containerId === CONTAINER_ID ? '' : ` ${containerId}`);

/** The right to use the world's engine; each use of it goes into the journal. */
function turnIn(world: Omit<World, 'service'>): EngineTurn {
  const { journal } = world;
  return {
    outcome: 'granted',
    engine: {
      look: (containerId, signal) => {
        journal.push(`look${ofOther(containerId)}`);
        return world.look(signal);
      },
      remove: (containerId, signal) => {
        journal.push(`remove${ofOther(containerId)}`);
        return world.remove(signal);
      },
      labelled: (gameId) => {
        journal.push(`list ${gameId}`);
        return world.labelled();
      },
    },
    evidence: {
      foundPresent: async ({ containerId, gameId, jobId }) => {
        journal.push(`found present${ofOther(containerId)} for job ${jobId} of ${gameId}`);
      },
      removalIsNext: async ({ containerId }) => {
        await world.removalIsNext();
        journal.push(`removal is next${ofOther(containerId)}`);
      },
      judgeGone: ({ containerId, removalSent }, signal) => {
        journal.push(`judge gone${ofOther(containerId)}${removalSent ? ' after a removal' : ''}`);
        return world.judgeGone(removalSent, signal);
      },
    },
    release: () => void journal.push('release'),
  };
}
