/**
 * Whether an engine that says "no such container" is believed. A cleaner that cannot see must not act: an empty engine at
 * the same address, or the same engine on another disk, says it of every container. Concourse keeps `missing_since` and a
 * grace for the same reason; Nomad's reconciler does nothing while its driver is unhealthy.
 */
import type { Removal } from '../domain/operation.js';
import { type EngineIdentity, LOOKS_COUNTED } from './engine-ports.js';

export interface GoneFacts {
  readonly engine: string;
  /** The identity that is stored for the engine, and the one that answered after the look. */
  readonly stored: EngineIdentity;
  readonly answered: EngineIdentity;
  /** Whether a removal of this container was sent, in this job: by this attempt, by an earlier one, or never. */
  readonly removalSent: 'now' | 'earlier' | 'never';
  readonly accepted: boolean;
  /** Of the newest `LOOKS_COUNTED` looks. */
  readonly goneLooks: number;
  /** Another container of our records was found on the engine: just now, or a moment ago. */
  readonly othersSeen: 'now' | 'recently' | 'never';
}

export type GoneVerdict =
  | { readonly believed: true; readonly removal: Removal }
  | { readonly believed: false; readonly why: string };

export function decideGone(facts: GoneFacts): GoneVerdict {
  const { engine, stored, answered } = facts;
  if (!isSameEngine(stored, answered)) return doubt(otherEngine(engine, stored, answered));
  if (facts.removalSent !== 'never') return { believed: true, removal: 'removed' };
  if (facts.accepted) return { believed: true, removal: 'already_gone' };
  if (facts.goneLooks > LOOKS_COUNTED / 2) {
    return doubt(
      `the engine ${shown(engine)} says that ${facts.goneLooks} of the last ${LOOKS_COUNTED} containers are gone; ${acceptGone(engine)}`,
    );
  }
  if (facts.othersSeen === 'never') {
    return doubt(
      `the engine ${shown(engine)} says that the container is gone, and shows no other container of these records; ${acceptGone(engine)}`,
    );
  }
  return { believed: true, removal: 'already_gone' };
}

export function isSameEngine(one: EngineIdentity, other: EngineIdentity): boolean {
  return one.engineId === other.engineId && one.rootDir === other.rootDir && one.storageDriver === other.storageDriver;
}

/** Both identities, and the command that accepts the new one. */
export function otherEngine(engine: string, stored: EngineIdentity, answered: EngineIdentity): string {
  return `${whoAnswers(engine, stored, answered)}; ${acceptIdentity(engine)}`;
}

export function whoAnswers(engine: string, stored: EngineIdentity, answered: EngineIdentity): string {
  return (
    `another engine answers at the address of the engine ${shown(engine)}: ${describeIdentity(answered)} instead of ` +
    describeIdentity(stored)
  );
}

/** What to do when another engine answers. */
export const acceptIdentity = (engine: string): string =>
  `if it is right, accept it with "runtime-cleanup engines accept ${engine}"`;

/** What to do when containers are missing. */
export const acceptGone = (engine: string): string =>
  `if its containers were really removed, accept that with "runtime-cleanup engines accept ${engine}"`;

export function describeIdentity({ engineId, rootDir, storageDriver }: EngineIdentity): string {
  return `id ${engineId === '' ? '(none)' : engineId}, root ${rootDir}, driver ${storageDriver}`;
}

const shown = (engine: string): string => JSON.stringify(engine);

const doubt = (why: string): GoneVerdict => ({ believed: false, why });
