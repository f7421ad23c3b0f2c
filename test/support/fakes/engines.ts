import { storable } from '../../../src/domain/text.js';
import { engineOf, isFullContainerId } from '../../../src/domain/runtime-record.js';
import { describeIdentity, isSameEngine } from '../../../src/engines/decide-gone.js';
import {
  type AcceptingActor,
  type ContainerLooks,
  type EngineIdentity,
  type EngineRecord,
  type EngineRegistry,
  LOOKS_COUNTED,
  type LookSubject,
  OTHERS_LOOKED_AT,
  RECENT_MS,
} from '../../../src/engines/engine-ports.js';
import type { PlatformState } from './state.js';

interface FakeLook {
  readonly engine: string;
  readonly containerId: string;
  readonly gameId: string;
  readonly found: 'present' | 'gone';
  readonly at: number;
  readonly removalJob: string | null;
  readonly accepted: boolean;
}

interface FakeEngineRow extends Omit<EngineRecord, 'missing'> {
  readonly evidenceSince: number;
}

export interface FakeEngines {
  readonly registry: EngineRegistry;
  readonly looks: ContainerLooks;
  readonly clear: () => void;
}

const DAY_MS = 86_400_000;
const keyOf = ({ engine, containerId }: Pick<FakeLook, 'engine' | 'containerId'>): string => `${engine} ${containerId}`;

/** The stored engines and looks, in memory, over the records and the operation log of the platform. */
export function createFakeEngines({
  clock,
  records,
  operations,
}: Pick<PlatformState, 'clock' | 'records' | 'operations'>): FakeEngines {
  const rows = new Map<string, FakeEngineRow>();
  const looks = new Map<string, FakeLook>();
  const nowMs = (): number => clock.now().getTime();
  const live = () => [...records.values()].filter(({ status }) => status === 'running' || status === 'stopped');

  function note(subject: LookSubject, found: FakeLook['found'], removalJob: string | null): FakeLook {
    const { engine, containerId, gameId, jobId } = subject;
    const before = looks.get(keyOf(subject));
    const isOwnRemoval = found === 'gone' && before?.removalJob === jobId;
    const look: FakeLook = {
      engine,
      containerId,
      gameId,
      found: isOwnRemoval ? before.found : found,
      at: nowMs(),
      removalJob: removalJob ?? before?.removalJob ?? null,
      accepted: found === 'gone' && before?.accepted === true,
    };
    // Set anew, so that the newest look is the last one.
    looks.delete(keyOf(subject));
    looks.set(keyOf(subject), look);
    return look;
  }

  function others({ engine, containerId }: LookSubject): string[] {
    const isBeingRemoved = (look: FakeLook | undefined): boolean =>
      look !== undefined && look.removalJob !== null && look.at > nowMs() - RECENT_MS;
    const rank = (id: string): number => (looks.get(keyOf({ engine, containerId: id }))?.found === 'gone' ? 1 : 0);
    return live()
      .filter((record) => engineOf(record) === engine)
      .map(({ currentContainerId, status, lastOpAt }) => ({ id: currentContainerId ?? '', status, lastOpAt }))
      .filter(({ id }) => isFullContainerId(id) && id !== containerId)
      .filter(({ id }) => !isBeingRemoved(looks.get(keyOf({ engine, containerId: id }))))
      .sort(
        (a, b) =>
          rank(a.id) - rank(b.id) || a.status.localeCompare(b.status) || b.lastOpAt.getTime() - a.lastOpAt.getTime(),
      )
      .slice(0, OTHERS_LOOKED_AT)
      .map(({ id }) => id);
  }

  const missingAt = (name: string): readonly FakeLook[] =>
    [...looks.values()].filter(({ engine, found, accepted, gameId, containerId }) => {
      const record = records.get(gameId);
      const isNamed = record?.status === 'stopped' && record.currentContainerId === containerId;
      return engine === name && found === 'gone' && !accepted && isNamed;
    });

  const recordOf = ({ evidenceSince: _since, ...row }: FakeEngineRow, missing = 0): EngineRecord => ({
    ...row,
    missing,
  });

  const registry: EngineRegistry = {
    seen: async (name, identity) => {
      const now = clock.now();
      const row = rows.get(name);
      const fresh = { name, identity, observed: null, observedAt: null, acceptedAt: null, acceptedBy: null };
      const next: FakeEngineRow =
        row === undefined
          ? { ...fresh, firstSeenAt: now, lastSeenAt: now, evidenceSince: nowMs() }
          : isSameEngine(row.identity, identity)
            ? matched(row, now)
            : mismatched(row, identity, now);
      rows.set(name, next);
      return recordOf(next);
    },
    forgetLooks: async (name) => {
      const row = rows.get(name);
      if (row !== undefined) rows.set(name, { ...row, evidenceSince: nowMs() });
    },
    list: async () =>
      [...rows.values()]
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .map((row) => recordOf(row, missingAt(row.name).length)),
    accept: async (name, actor) => {
      const row = rows.get(name);
      if (row === undefined) return undefined;
      const missing = missingAt(name);
      const gone = missing.map(({ gameId }) => gameId).toSorted();
      const replaced = row.observed === null ? null : row.identity;
      if (replaced === null && gone.length === 0) return { replaced, engine: recordOf(row), gone };
      for (const look of missing) looks.set(keyOf(look), { ...look, accepted: true });
      const after = acceptedBy(row, storable(actor.name), clock.now());
      rows.set(name, after);
      logAcceptance({ clock, operations }, { engine: name, actor, replaced, identity: after.identity, gone });
      return { replaced, engine: recordOf(after), gone };
    },
    named: async () => {
      const counts = new Map<string, number>();
      for (const record of live()) counts.set(engineOf(record), (counts.get(engineOf(record)) ?? 0) + 1);
      return counts;
    },
  };

  const fakeLooks: ContainerLooks = {
    foundPresent: async (subject) => void note(subject, 'present', null),
    removalIsNext: async (subject) => void note(subject, 'present', subject.jobId),
    foundGone: async (subject) => {
      const before = [...looks.values()].filter(
        ({ engine, containerId, at }) =>
          engine === subject.engine && containerId !== subject.containerId && at > nowMs() - DAY_MS,
      );
      const own = note(subject, 'gone', null);
      const counted = [...before.slice(-(LOOKS_COUNTED - 1)), own];
      const since = Math.max(rows.get(subject.engine)?.evidenceSince ?? Number.POSITIVE_INFINITY, nowMs() - RECENT_MS);
      return {
        removalSent: own.removalJob === subject.jobId,
        accepted: own.accepted,
        goneLooks: counted.filter(({ found, accepted }) => found === 'gone' && !accepted).length,
        othersSeenRecently: before.some(({ found, at }) => found === 'present' && at > since),
        others: others(subject),
      };
    },
    forgetOld: async () => {
      for (const [key, { at }] of looks) if (at < nowMs() - 7 * DAY_MS) looks.delete(key);
    },
  };

  return {
    registry,
    looks: fakeLooks,
    clear: () => {
      rows.clear();
      looks.clear();
    },
  };
}

const matched = (row: FakeEngineRow, now: Date): FakeEngineRow => ({
  ...row,
  lastSeenAt: row.observed !== null || now.getTime() - row.lastSeenAt.getTime() > 30_000 ? now : row.lastSeenAt,
  observed: null,
  observedAt: null,
  evidenceSince: row.observed === null ? row.evidenceSince : now.getTime(),
});

function mismatched(row: FakeEngineRow, identity: EngineIdentity, now: Date): FakeEngineRow {
  if (row.observed !== null && isSameEngine(row.observed, identity)) return row;
  return { ...row, observed: identity, observedAt: now, evidenceSince: now.getTime() };
}

const acceptedBy = (row: FakeEngineRow, actor: string, now: Date): FakeEngineRow => ({
  ...row,
  identity: row.observed ?? row.identity,
  observed: null,
  observedAt: null,
  acceptedAt: now,
  acceptedBy: actor,
  evidenceSince: now.getTime(),
});

interface Accepted {
  readonly engine: string;
  readonly actor: AcceptingActor;
  readonly replaced: EngineIdentity | null;
  readonly identity: EngineIdentity;
  readonly gone: readonly string[];
}

function logAcceptance(
  { clock, operations }: Pick<PlatformState, 'clock' | 'operations'>,
  { engine, actor, replaced, identity, gone }: Accepted,
): void {
  const now = clock.now();
  const what =
    replaced === null
      ? ''
      : `identity accepted: ${describeIdentity(identity)} instead of ${describeIdentity(replaced)}; `;
  operations.push({
    id: String(operations.length + 1),
    gameId: '',
    opKind: 'accept_engine',
    opSource: actor.opSource,
    sourceRef: '',
    imageRef: '',
    containerId: '',
    outcome: 'success',
    errorCode: '',
    errorMessage: `${what}${gone.length} missing containers accepted as gone`,
    jobId: '',
    attempt: 0,
    removal: '',
    engine,
    actor: storable(actor.name),
    startedAt: now,
    finishedAt: now,
  });
}
