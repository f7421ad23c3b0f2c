import { SpanStatusCode, trace } from '@opentelemetry/api';
import type { CleanupObserver } from '../cleanup/ports.js';
import type { ReopenObserver } from '../cleanup/reopen.js';
import type { ErrorCode } from '../domain/error-codes.js';
import type { OperationEntry } from '../domain/operation.js';
import { storable } from '../domain/text.js';
import type { Log } from './logger.js';
import type { CleanupMetrics } from './metrics.js';

interface Deps {
  readonly log: Log;
  readonly metrics: Pick<CleanupMetrics, 'recordCleanup'>;
}

/** Writes one line for each outcome, counts it, and marks the active span, because the queue library does not. */
export function createCleanupObserver({ log, metrics }: Deps): CleanupObserver {
  return {
    concluded: (entry, cause) => {
      metrics.recordCleanup(entry);
      markSpan(entry);
      const { level, message } = ENDINGS[entry.errorCode];
      // Only a bug needs the stack; for other errors the code and the message are enough.
      log[level]({ ...fieldsOf(entry), ...(entry.errorCode === 'internal_error' && { err: cause }) }, message);
    },
    auditRowLost: (entry, cause) => log.error({ ...fieldsOf(entry), err: cause }, 'operation log row lost'),
    leaseReleaseFailed: (gameId, cause) => log.warn({ game_id: gameId, err: cause }, 'lease release failed'),
  };
}

/**
 * Writes one line for each reopening, with who asked. A refusal is an answer to that person, so it is no warning: it
 * would be shown twice at a terminal.
 */
export function createReopenObserver({ log }: Pick<Deps, 'log'>): ReopenObserver {
  return {
    reopenConcluded: (entry, cause) => {
      const fields = { ...fieldsOf(entry), actor: storable(entry.actor, 256) };
      if (entry.errorCode === 'internal_error') log.error({ ...fields, err: cause }, 'reopening failed');
      else log.info(fields, entry.outcome === 'success' ? 'record reopened' : 'reopening refused');
    },
    auditRowLost: (entry, cause) => log.error({ ...fieldsOf(entry), err: cause }, 'operation log row lost'),
  };
}

type Ending = { readonly level: 'info' | 'warn' | 'error'; readonly message: string };

const refused: Ending = { level: 'warn', message: 'cleanup refused' };
const failed: Ending = { level: 'error', message: 'cleanup failed' };

const ENDINGS: Readonly<Record<ErrorCode, Ending>> = {
  '': { level: 'info', message: 'cleanup succeeded' },
  replay_no_op: { level: 'info', message: 'cleanup replayed' },
  invalid_request: refused,
  not_found: refused,
  container_mismatch: refused,
  conflict: refused,
  lease_lost: failed,
  engine_mismatch: refused,
  service_unavailable: failed,
  internal_error: failed,
};

function fieldsOf(entry: OperationEntry): Readonly<Record<string, unknown>> {
  return {
    job_id: entry.jobId,
    attempt: entry.attempt,
    // A refused request may hold text of any length here.
    game_id: storable(entry.gameId, 256),
    container_id: entry.containerId,
    op_source: storable(entry.opSource, 256),
    source_ref: storable(entry.sourceRef, 256),
    error_code: entry.errorCode,
    error_message: entry.errorMessage,
    removal: entry.removal,
    engine: entry.engine,
    duration_ms: Math.round(entry.elapsedMs),
  };
}

function markSpan(entry: OperationEntry): void {
  const span = trace.getActiveSpan();
  if (span === undefined) return;
  span.setAttributes({
    'rtmanager.game_id': storable(entry.gameId, 256),
    'rtmanager.outcome': entry.outcome,
    'rtmanager.error_code': entry.errorCode,
    'rtmanager.attempt': entry.attempt,
    'rtmanager.removal': entry.removal,
    'rtmanager.engine': entry.engine,
  });
  if (entry.outcome === 'failure') {
    span.setAttribute('error.type', entry.errorCode);
    span.setStatus({ code: SpanStatusCode.ERROR, message: entry.errorMessage });
  }
}
