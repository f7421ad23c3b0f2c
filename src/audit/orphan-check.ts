/** Containers with the label of this service that no live record names. */
import { type Clock, pause } from '../async/clock.js';
import type { AuditEngines, AuditRecords } from './audit-ports.js';
import type { Tally } from './audit-report.js';
import { type EngineSubject, trustedEngines } from './engine-check.js';
import { judgeOrphans, type Orphan } from './judge-containers.js';

/** Containers that one query asks about. */
const BATCH = 5_000;
const LOOK_AGAIN_MS = 1_000;

interface Subject extends EngineSubject {
  readonly engines: AuditEngines;
  readonly records: Pick<AuditRecords, 'namesOf'>;
  readonly gameId: string | null;
  readonly clock: Clock;
  readonly patienceMs: number;
}

export async function checkContainersHaveRecords(subject: Subject, tally: Tally): Promise<void> {
  const byGame = new Map<string | null, Orphan[]>();
  for (const engine of await trustedEngines(subject, tally)) {
    for (const orphan of await lastingOrphans(subject, engine, tally)) {
      const sameGame = byGame.get(orphan.gameLabel);
      if (sameGame === undefined) byGame.set(orphan.gameLabel, [orphan]);
      else sameGame.push(orphan);
    }
  }
  for (const [gameId, orphans] of byGame) tally.found(judgeOrphans(gameId, orphans));
}

/**
 * Engine and database are read one after the other: a container that is removed or started meanwhile appears as an
 * orphan. One that still appears as one a moment later is one.
 */
async function lastingOrphans(subject: Subject, engine: string, tally: Tally): Promise<readonly Orphan[]> {
  const first = await orphansOf(subject, engine);
  tally.judged(first.containers);
  if (first.orphans.length === 0) return [];
  await pause(subject.clock, Math.min(LOOK_AGAIN_MS, subject.patienceMs), subject.signal);
  const again = await orphansOf(subject, engine);
  const still = new Set(again.orphans.map(({ containerId }) => containerId));
  return first.orphans.filter(({ containerId }) => still.has(containerId));
}

async function orphansOf({ engines, records, gameId, signal }: Subject, engine: string) {
  signal.throwIfAborted();
  const owned = await engines.owned(engine, gameId, signal);
  const orphans: Orphan[] = [];
  for (let start = 0; start < owned.length; start += BATCH) {
    const batch = owned.slice(start, start + BATCH);
    const namings = await records.namesOf(engine, batch);
    for (const [index, container] of batch.entries()) {
      const naming = namings[index];
      if (naming?.isNamed === false) orphans.push({ ...container, engine, record: naming.record });
    }
  }
  return { containers: owned.length, orphans };
}
