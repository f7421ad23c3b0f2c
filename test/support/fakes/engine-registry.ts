import { isSameEngine } from '../../../src/engines/decide-gone.js';
import type { EngineIdentity, EngineRecord, EngineRegistry } from '../../../src/engines/engine-ports.js';
import { storable } from '../../../src/domain/text.js';
import { engineOf } from '../../../src/domain/runtime-record.js';
import type { PlatformState } from './state.js';

/** A look that found no container. */
export interface MissingLook {
  readonly engine: string;
  readonly gameId: string;
  readonly containerId: string;
}

export interface FakeEngineRegistry extends EngineRegistry {
  /** The engine says that this container is gone, and it is not believed. */
  readonly noteMissing: (look: MissingLook) => void;
}

type Stored = Omit<EngineRecord, 'missing'>;

export function createFakeEngineRegistry({
  clock,
  records,
}: Pick<PlatformState, 'clock' | 'records'>): FakeEngineRegistry {
  const engines = new Map<string, Stored>();
  const looks = new Map<string, MissingLook & { accepted: boolean }>();

  const missingAt = (name: string) =>
    [...looks.values()].filter(({ engine, gameId, containerId, accepted }) => {
      const record = records.get(gameId);
      const isNamed = record?.status === 'stopped' && record.currentContainerId === containerId;
      return engine === name && !accepted && isNamed;
    });
  const withMissing = (stored: Stored): EngineRecord => ({ ...stored, missing: missingAt(stored.name).length });

  return {
    seen: async (name, identity) => {
      const stored = noted(engines.get(name) ?? firstSeen(name, identity, clock.now()), identity, clock.now());
      engines.set(name, stored);
      return { ...stored, missing: 0 };
    },
    forgetLooks: async () => undefined,
    list: async () => [...engines.values()].sort((a, b) => (a.name < b.name ? -1 : 1)).map(withMissing),
    accept: async (name, actor) => {
      const before = engines.get(name);
      if (before === undefined) return undefined;
      const missing = missingAt(name);
      const { identity, observed } = before;
      if (observed === null && missing.length === 0) return { replaced: null, engine: withMissing(before), gone: [] };
      for (const look of missing) look.accepted = true;
      const accepted = { acceptedAt: clock.now(), acceptedBy: storable(actor.name) };
      const after = { ...before, ...accepted, identity: observed ?? identity, observed: null, observedAt: null };
      engines.set(name, after);
      return {
        replaced: observed === null ? null : identity,
        engine: withMissing(after),
        gone: missing.map(({ gameId }) => gameId).toSorted(),
      };
    },
    named: async () => {
      const names = new Map<string, number>();
      for (const record of records.values()) {
        if (record.status !== 'running' && record.status !== 'stopped') continue;
        const name = engineOf(record);
        names.set(name, (names.get(name) ?? 0) + 1);
      }
      return names;
    },
    noteMissing: (look) => void looks.set(`${look.engine} ${look.containerId}`, { ...look, accepted: false }),
  };
}

const firstSeen = (name: string, identity: EngineIdentity, now: Date): Stored => ({
  name,
  identity,
  observed: null,
  observedAt: null,
  firstSeenAt: now,
  lastSeenAt: now,
  acceptedAt: null,
  acceptedBy: null,
});

function noted(stored: Stored, identity: EngineIdentity, now: Date): Stored {
  if (isSameEngine(stored.identity, identity)) return { ...stored, observed: null, observedAt: null, lastSeenAt: now };
  return { ...stored, observed: identity, observedAt: now };
}
