import { SUCCESS_CODES } from '../../../domain/error-codes.js';
import { type Removal, removalOf } from '../../../domain/operation.js';
import type { EnqueuedJob, JobResult } from '../../../jobs/ports.js';
import { type ExitCode, DONE, FAILED } from '../../process/exit-codes.js';
import type { Output } from '../../terminal/command-output.js';

/** One game of an `enqueue`; the field names are those of `--json`. */
export interface EnqueueRow {
  readonly gameId: string;
  /** Null: it could not be enqueued. */
  readonly jobId: string | null;
  readonly state: EnqueuedJob['state'] | 'missing' | 'not_enqueued';
  readonly coalesced: boolean;
  /** How the job ended: an error code, empty for a fresh success. Null until it has ended. */
  readonly code: string | null;
  readonly message: string;
  /** What a success did to the container; empty until then, and for a replay or a failure. */
  readonly removal: Removal | '';
}

/** The row of a game: its job, if it has one, and the job's result, if the command waited for it and it has come. */
export function rowOf(gameId: string, job: EnqueuedJob | undefined, ending: JobResult | undefined): EnqueueRow {
  if (job === undefined) {
    return { gameId, jobId: null, state: 'not_enqueued', coalesced: false, code: null, message: '', removal: '' };
  }
  const { jobId, coalesced, state } = job;
  return {
    gameId,
    jobId,
    coalesced,
    ...(ending === undefined ? { state, code: null, message: '', removal: '' } : endingOf(ending)),
  };
}

function endingOf(ending: JobResult): Pick<EnqueueRow, 'state' | 'code' | 'message' | 'removal'> {
  switch (ending.state) {
    case 'completed': {
      const { errorCode, errorMessage, removal } = ending.result;
      return { state: 'completed', code: errorCode, message: errorMessage, removal: removalOf(removal) };
    }
    case 'failed': {
      const [, code = 'internal_error', message = ''] = /^([a-z_]+): ([\s\S]*)$/.exec(ending.reason) ?? [];
      return { state: 'failed', code, message: message === '' ? ending.reason : message, removal: '' };
    }
    case 'missing':
      return {
        state: 'missing',
        code: null,
        message: 'the queue no longer has this job; see the operation log',
        removal: '',
      };
  }
}

/** One line about a result, shown when there is no progress bar. */
export function endingLine(gameId: string, ending: JobResult): string {
  const { state, code, message } = endingOf(ending);
  return [`${gameId}: ${state}`, code ?? '', message].filter((part) => part !== '').join(', ');
}

export interface EnqueueSummary {
  readonly rows: readonly EnqueueRow[];
  readonly waited: boolean;
}

/**
 * Failed when a game could not be enqueued or, with `--wait`, its container was not cleaned up: a job of the retention
 * sweep completes with a `conflict`, and a request that was coalesced with it has not got its cleanup. Without `--wait`
 * the result of a job does not change the exit code, not even of a job that ended before the command did.
 */
export function exitCodeOf({ rows, waited }: EnqueueSummary): ExitCode {
  const isFine = ({ state, code }: EnqueueRow) =>
    waited ? state === 'completed' && isSuccessCode(code) : state !== 'not_enqueued';
  return rows.every(isFine) ? DONE : FAILED;
}

const isSuccessCode = (code: string | null): boolean => SUCCESS_CODES.some((success) => success === code);

/** Shows all rows as a table or as `{ "jobs": [...] }`. */
export function showRows(output: Output, { rows, waited }: EnqueueSummary): void {
  if (output.isJson) {
    output.document({ jobs: rows });
    return;
  }
  const cells = ({ gameId, jobId, state, coalesced }: EnqueueRow) => [
    gameId,
    jobId ?? '',
    state,
    coalesced ? 'yes' : '',
  ];
  if (waited) {
    output.table(
      ['GAME', 'JOB', 'STATE', 'COALESCED', 'CODE', 'REMOVAL', 'MESSAGE'],
      rows.map((row) => [...cells(row), row.code ?? '', row.removal, row.message]),
    );
  } else {
    output.table(['GAME', 'JOB', 'STATE', 'COALESCED'], rows.map(cells));
  }
}
