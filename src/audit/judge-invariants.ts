/** Judges from facts alone what breaks an invariant; undefined: the invariant holds. */
import type { AuditedDeadLetter, AuditedLease, AuditedRecord, JobOfGame, UnlockedJob } from './audit-ports.js';
import { LEASE_TTL_MAX_MS } from '../lease/timing.js';
import type { Finding } from './audit-report.js';

const NOWHERE = { gameId: null, jobId: null, containerId: null };

/**
 * A cleanup removes the record and writes its row in one statement, so both have the same time. A removed record without
 * such a row is broken if it looks as that statement leaves it: then only half of it happened. If it does not look so,
 * another service removed it, which it may do, or changed it since.
 */
export function judgeRemoved(record: AuditedRecord): Finding | undefined {
  const { gameId, rowsOfRemoval, bearsOurMark } = record;
  if (rowsOfRemoval === 1) return undefined;
  const where = { ...NOWHERE, gameId, containerId: record.containerId };
  if (rowsOfRemoval > 1) {
    return {
      ...where,
      severity: 'broken',
      what: `${rowsOfRemoval} success rows bear the moment of one removal`,
      advice: 'one removal writes one row: keep both rows and report this as a bug',
    };
  }
  if (bearsOurMark) {
    return {
      ...where,
      severity: 'broken',
      what: 'removed as a cleanup removes, but the success row of that moment is missing',
      advice: 'see "runtime-cleanup log" of the game: the row was pruned, or this is a bug to report',
    };
  }
  return {
    ...where,
    severity: 'warning',
    what: 'removed without a success row, and not in the way a cleanup removes: another service did it, or changed the record since',
    advice: 'ask the service that owns this record; nothing here says that a cleanup went wrong',
  };
}

/** A row says that its container was removed for good; ids are never used again, so no record may name it any more. */
export function judgeRow({ gameId, status, containerId, newestRow: row }: AuditedRecord): readonly Finding[] {
  if (row === null) return [];
  const where = { gameId, jobId: orNull(row.jobId), containerId: orNull(row.containerId) };
  const findings: Finding[] = [];
  if (status === 'removed') {
    if (row.afterRemoval) {
      findings.push({
        ...where,
        severity: 'broken',
        what: `success row ${row.id} is newer than the removal of its record`,
        advice: 'a row was written for a removal that did not happen: report this as a bug',
      });
    }
  } else if (orNull(row.containerId) === containerId && (containerId !== null || row.recordUntouched)) {
    findings.push(contradiction(status, where, row));
  }
  if (row.isRepeated) {
    findings.push({
      ...where,
      severity: 'warning',
      what: `success row ${row.id} is not the first one for its container`,
      advice: 'another service may have put an old record back; if none did, report this as a bug',
    });
  }
  return findings;
}

function contradiction(
  status: string,
  where: Pick<Finding, 'gameId' | 'jobId' | 'containerId'>,
  { id, recordUntouched }: { readonly id: string; readonly recordUntouched: boolean },
): Finding {
  const still = `the record is still ${JSON.stringify(status)}${where.containerId === null ? '' : ' and names it'}`;
  const what = `success row ${id} says that the container was removed, but ${still}`;
  return recordUntouched
    ? {
        ...where,
        severity: 'broken',
        what,
        advice: 'ask for the cleanup again: it finds the container gone and changes the record; report this as a bug',
      }
    : {
        ...where,
        severity: 'warning',
        what: `${what}; it was changed after the row`,
        advice: 'another service may have put an old record back; asking for the cleanup again repairs it',
      };
}

export function judgeLease({ gameId, lifeMs, place }: AuditedLease): Finding | undefined {
  if (lifeMs !== null && lifeMs <= LEASE_TTL_MAX_MS) return undefined;
  const life = lifeMs === null ? 'never ends' : `ends in ${Math.round(lifeMs / 1_000)} s`;
  return {
    ...NOWHERE,
    severity: 'broken',
    gameId,
    what: `the lease in ${place} ${life}; allowed: at most ${LEASE_TTL_MAX_MS / 1_000} s`,
    advice:
      'until it ends no service can operate this game: find the service that took it, and delete it if that is not at work',
  };
}

export function judgeUnlocked({ queue, jobId, gameId }: UnlockedJob): Finding {
  return {
    ...NOWHERE,
    severity: 'broken',
    gameId: orNull(gameId),
    jobId,
    what: `the job is active in ${queue}, but no worker holds its lock and none takes it over`,
    advice: 'start a worker: "runtime-cleanup serve" or "runtime-cleanup worker"; it finds such jobs within seconds',
  };
}

export function judgeReason({ jobId, gameId, reason, isReadable }: AuditedDeadLetter): Finding | undefined {
  if (isReadable) return undefined;
  return {
    ...NOWHERE,
    severity: 'broken',
    gameId: orNull(gameId),
    jobId,
    what: `the reason ${JSON.stringify(reason.slice(0, 200))} has no code of the catalogue`,
    advice: 'no worker of this service gave that verdict; one that starts puts the job back and decides',
  };
}

/** Rows of refusals are best effort: in an outage of the database one may be missing. */
export function judgeUnlogged({ jobId, gameId }: JobOfGame): Finding {
  return {
    ...NOWHERE,
    severity: 'warning',
    gameId: orNull(gameId),
    jobId,
    what: 'the dead letter has no failure row in the operation log of its game',
    advice: 'the row was pruned, or lost in an outage: the log of the workers then says "operation log row lost"',
  };
}

const orNull = (text: string): string | null => (text === '' ? null : text);
