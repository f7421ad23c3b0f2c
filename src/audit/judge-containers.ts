/** Judges from facts alone what is wrong with containers and engines; undefined or nothing: the invariant holds. */
import { acceptGone, acceptIdentity, describeIdentity, isSameEngine, whoAnswers } from '../engines/decide-gone.js';
import type { EngineIdentity, EngineRecord } from '../engines/engine-ports.js';
import type { ContainerLook, ContainerNaming, OwnedContainer } from './audit-ports.js';
import type { Finding } from './audit-report.js';

const NOWHERE = { gameId: null, jobId: null, containerId: null };

/** The container of a removed record. */
export interface RemovedContainer {
  readonly gameId: string;
  readonly containerId: string;
  readonly engine: string;
  /** What the row of the removal says; empty where there is none. */
  readonly removal: string;
}

export function judgeContainer(container: RemovedContainer, look: ContainerLook): Finding | undefined {
  if (look.kind === 'gone') return undefined;
  const { gameId, containerId, engine, removal } = container;
  const state = `the engine ${JSON.stringify(engine)} has its container: ${look.activity} (${look.detail})`;
  const broken = { ...NOWHERE, severity: 'broken', gameId, containerId } as const;
  return removal === 'already_gone'
    ? {
        ...broken,
        what: `the record was removed because its container was already gone, but ${state}`,
        advice: 'put the record back with "runtime-cleanup records reopen <game-id>"; its next cleanup then removes it',
      }
    : {
        ...broken,
        what: `the record is removed, but ${state}`,
        advice:
          'find out what it is with "docker inspect"; if it is not needed, remove it by its full id, which --json shows',
      };
}

export function judgeUnlookable(gameId: string, containerId: string): Finding {
  return {
    ...NOWHERE,
    severity: 'warning',
    gameId,
    containerId,
    what: `${JSON.stringify(containerId.slice(0, 80))} is no full container id, so it could name another container`,
    advice: 'check whether such a container exists, and repair the record',
  };
}

/** Containers of removed records that cannot be looked at, because this process does not know their engine. */
export function judgeUnknownEngine(engine: string, containers: number): Finding {
  return {
    ...NOWHERE,
    severity: 'warning',
    what: `${containers} containers of removed records belong to the engine ${JSON.stringify(engine)}, which has no address here`,
    advice: 'give the address of the engine in RTMANAGER_DOCKER_HOSTS, and verify again',
  };
}

/** A container that no live record names, and what the records say about its game. */
export interface Orphan extends OwnedContainer {
  readonly engine: string;
  readonly record: ContainerNaming['record'];
}

const ORPHANS_NAMED = 5;

/** A label proves no identity, and a removal cannot be undone: the containers are named, and people decide. */
export function judgeOrphans(gameId: string | null, orphans: readonly Orphan[]): Finding {
  const named = orphans
    .slice(0, ORPHANS_NAMED)
    .map(({ containerId, status, engine }) => `${containerId} (${status}, engine ${JSON.stringify(engine)})`);
  const more = orphans.length > named.length ? ` and ${orphans.length - named.length} more` : '';
  const which = orphans.length === 1 ? 'a container is' : `${orphans.length} containers are`;
  return {
    ...NOWHERE,
    severity: 'warning',
    gameId,
    containerId: orphans[0]?.containerId ?? null,
    what: `${which} named by no live record, and ${recordOf(gameId, orphans[0]?.record ?? null)}: ${named.join(', ')}${more}`,
    advice:
      'look at each with "docker inspect", and remove what is not needed by hand, by its full id; nothing is removed on the strength of a label',
  };
}

function recordOf(gameId: string | null, record: ContainerNaming['record']): string {
  if (gameId === null) return 'the label of a game is missing';
  if (record === null) return 'the game has no record';
  const names = (record.containerId ?? '') === '' ? 'no container' : 'another container, or this one on another engine';
  return `the record of the game is ${JSON.stringify(record.status)} and names ${names}`;
}

/** @param answered the identity that answers now */
export function judgeEngine(
  { name, identity, observed, missing }: Pick<EngineRecord, 'name' | 'identity' | 'observed' | 'missing'>,
  answered: EngineIdentity,
): readonly Finding[] {
  const broken = { ...NOWHERE, severity: 'broken' } as const;
  const findings: Finding[] = [];
  if (!isSameEngine(identity, answered)) {
    findings.push({ ...broken, what: whoAnswers(name, identity, answered), advice: acceptIdentity(name) });
  } else if (observed !== null) {
    const seen = `${describeIdentity(observed)} instead of ${describeIdentity(identity)}`;
    findings.push({
      ...broken,
      what: `a worker has last seen another engine at the address of the engine ${JSON.stringify(name)}: ${seen}`,
      advice: `find out what that worker reaches; ${acceptIdentity(name)}`,
    });
  }
  if (missing > 0) {
    findings.push({
      ...broken,
      what: `the engine ${JSON.stringify(name)} says that ${missing} containers of stopped records are gone, without evidence that it had them`,
      advice: acceptGone(name),
    });
  }
  return findings;
}

/** Live records of an engine that is not configured here: their cleanups cannot be carried out. */
export function judgeUnconfigured(engine: string, records: number): Finding {
  return {
    ...NOWHERE,
    severity: 'warning',
    what: `${records} records that are not removed belong to the engine ${JSON.stringify(engine)}, which has no address here`,
    advice: 'give the address of the engine in RTMANAGER_DOCKER_HOSTS, or correct docker_host of the records',
  };
}
