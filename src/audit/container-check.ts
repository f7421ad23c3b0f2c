import { messageOf } from '../domain/errors.js';
import { isFullContainerId } from '../domain/runtime-record.js';
import { judgeContainer, judgeUnlookable } from './judge-invariants.js';
import type { AuditContainers, AuditedRecord, AuditRecords } from './audit-ports.js';
import { recordPages } from './record-checks.js';
import type { Tally } from './audit-report.js';
import { mapConcurrent } from '../async/map-concurrent.js';

/** An engine answers this many requests at a time without becoming slower for other clients. */
const CONCURRENT_LOOKS = 8;
/** After this many requests in a row without an answer the rest is not checked. */
const PATIENCE_LOOKS = CONCURRENT_LOOKS;

export interface AuditProgress {
  readonly done: number;
  readonly total: number;
}

interface Subject {
  readonly records: Pick<AuditRecords, 'page' | 'countRemoved'>;
  readonly containers: AuditContainers;
  readonly gameId: string | null;
  readonly onProgress: (progress: AuditProgress) => void;
  readonly signal: AbortSignal;
}

export async function checkRemovedIsGone(subject: Subject, tally: Tally): Promise<void> {
  const { records, containers, gameId, onProgress, signal } = subject;
  await containers.ready();
  const look = createLooker(containers, tally, signal);
  const total = await records.countRemoved(gameId);
  let done = 0;
  onProgress({ done, total });
  for await (const page of recordPages(records, { gameId, status: 'removed' }, signal)) {
    await mapConcurrent(page, CONCURRENT_LOOKS, async (record) => {
      if (look.hasGivenUp()) return;
      for (const containerId of containersOf(record)) await look.at(record.gameId, containerId);
      done += 1;
      onProgress({ done: Math.min(done, total), total });
    });
    if (look.hasGivenUp()) return;
  }
}

/** A cleanup keeps the id in its row only; another service that sets a record to `removed` may leave it in the record. */
function containersOf({ containerId, containerOfRemoval }: AuditedRecord): ReadonlySet<string> {
  return new Set([containerId ?? '', containerOfRemoval].filter((id) => id !== ''));
}

function createLooker(containers: AuditContainers, tally: Tally, signal: AbortSignal) {
  let unansweredInARow = 0;

  async function at(gameId: string, containerId: string): Promise<void> {
    if (!isFullContainerId(containerId)) {
      tally.found(judgeUnlookable(gameId, containerId));
      return;
    }
    try {
      const finding = judgeContainer(gameId, containerId, await containers.look(containerId, signal));
      unansweredInARow = 0;
      tally.judged(1);
      if (finding !== undefined) tally.found(finding);
    } catch (error) {
      signal.throwIfAborted();
      unansweredInARow += 1;
      tally.markUnknown(messageOf(error));
    }
  }

  return { at, hasGivenUp: () => unansweredInARow >= PATIENCE_LOOKS };
}
