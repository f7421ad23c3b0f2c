import { messageOf } from '../domain/errors.js';
import { isFullContainerId } from '../domain/runtime-record.js';
import type { AuditedRecord, AuditEngines, AuditRecords } from './audit-ports.js';
import { type EngineSubject, trustedEngines } from './engine-check.js';
import { judgeContainer, judgeUnknownEngine, judgeUnlookable, type RemovedContainer } from './judge-containers.js';
import { recordPages } from './record-checks.js';
import type { Tally } from './audit-report.js';
import { mapConcurrent } from '../async/map-concurrent.js';

/** An engine answers this many requests at a time without becoming slower for other clients. */
const CONCURRENT_LOOKS = 8;
/** After this many requests in a row without an answer the rest of that engine is not checked. */
const PATIENCE_LOOKS = CONCURRENT_LOOKS;

export interface AuditProgress {
  readonly done: number;
  readonly total: number;
}

interface Subject extends EngineSubject {
  readonly records: Pick<AuditRecords, 'page' | 'countRemoved'>;
  readonly engines: AuditEngines;
  readonly gameId: string | null;
  readonly onProgress: (progress: AuditProgress) => void;
}

/** Looks at each container on the engine that the row of its removal names. */
export async function checkRemovedIsGone(subject: Subject, tally: Tally): Promise<void> {
  const { records, gameId, onProgress, signal } = subject;
  const trusted = await trustedEngines(subject, tally);
  if (trusted.length === 0) return;
  const look = createLooker(subject, trusted, tally);
  const total = await records.countRemoved(gameId);
  let done = 0;
  onProgress({ done, total });
  for await (const page of recordPages(records, { gameId, status: 'removed' }, signal)) {
    await mapConcurrent(page, CONCURRENT_LOOKS, async (record) => {
      if (look.hasGivenUp()) return;
      for (const container of containersOf(record)) await look.at(container);
      done += 1;
      onProgress({ done: Math.min(done, total), total });
    });
    if (look.hasGivenUp()) break;
  }
  look.reportUnknownEngines();
}

/** A cleanup keeps the id in its row only; another service that sets a record to `removed` may leave it in the record. */
function containersOf(record: AuditedRecord): readonly RemovedContainer[] {
  const { gameId, containerId, containerOfRemoval, engine, engineOfRemoval, removal } = record;
  const ofRow = {
    gameId,
    containerId: containerOfRemoval,
    engine: engineOfRemoval === '' ? engine : engineOfRemoval,
    removal,
  };
  const ofRecord = { gameId, containerId: containerId ?? '', engine, removal: '' };
  const isOne = ofRecord.containerId === ofRow.containerId && ofRecord.engine === ofRow.engine;
  return (isOne ? [ofRow] : [ofRow, ofRecord]).filter(({ containerId: id }) => id !== '');
}

function createLooker({ engines, signal }: Subject, trusted: readonly string[], tally: Tally) {
  const unansweredInARow = new Map(trusted.map((engine) => [engine, 0]));
  const configured = new Set(engines.names());
  const ofUnknownEngines = new Map<string, number>();

  async function at(container: RemovedContainer): Promise<void> {
    const { gameId, containerId, engine } = container;
    if (!isFullContainerId(containerId)) {
      tally.found(judgeUnlookable(gameId, containerId));
      return;
    }
    if (!configured.has(engine)) ofUnknownEngines.set(engine, (ofUnknownEngines.get(engine) ?? 0) + 1);
    const unanswered = unansweredInARow.get(engine);
    if (unanswered === undefined || unanswered >= PATIENCE_LOOKS) return;
    try {
      const finding = judgeContainer(container, await engines.look(engine, containerId, signal));
      unansweredInARow.set(engine, 0);
      tally.judged(1);
      if (finding !== undefined) tally.found(finding);
    } catch (error) {
      signal.throwIfAborted();
      unansweredInARow.set(engine, (unansweredInARow.get(engine) ?? 0) + 1);
      tally.markUnknown(messageOf(error));
    }
  }

  return {
    at,
    hasGivenUp: () => [...unansweredInARow.values()].every((unanswered) => unanswered >= PATIENCE_LOOKS),
    /** One finding for each engine: the records of an engine without an address may be many. */
    reportUnknownEngines: () => {
      for (const [engine, containers] of ofUnknownEngines) {
        tally.found(judgeUnknownEngine(engine, containers));
        tally.markUnknown(`the engine ${JSON.stringify(engine)} has no address here`);
      }
    },
  };
}
