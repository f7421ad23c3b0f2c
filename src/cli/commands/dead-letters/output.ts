import { FAILURE_CODES, type FailureCode } from '../../../domain/error-codes.js';
import { visible } from '../../../domain/text.js';
import type { BulkTally, PurgeAnswer, ReplayAnswer } from '../../../jobs/dead-letters.js';
import { DONE, type ExitCode } from '../../process/exit-codes.js';
import type { Output } from '../../terminal/command-output.js';

/** What a command does to dead letters. */
export type Action = 'replayed' | 'purged';

/** Dead letters by their code. */
export type Tallies = Readonly<Partial<Record<FailureCode, number>>>;

export const totalOf = (tallies: Tallies): number =>
  FAILURE_CODES.reduce((total, code) => total + (tallies[code] ?? 0), 0);

/** `9 dead letters (7 conflict, 2 not_found)`. */
export function formatTallies(tallies: Tallies): string {
  const parts = FAILURE_CODES.flatMap((code) => {
    const count = tallies[code] ?? 0;
    return count === 0 ? [] : [`${count} ${code}`];
  });
  return `${formatCount(totalOf(tallies))}${parts.length === 0 ? '' : ` (${parts.join(', ')})`}`;
}

const formatCount = (count: number): string => (count === 1 ? '1 dead letter' : `${count} dead letters`);

/** A job id as it is typed after a command; any client may have chosen it. */
export function asShellWord(text: string): string {
  if (/^\w[\w@%+=:,./-]*$/.test(text)) return text;
  return `-- '${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** Standard error's line for a job id that names no dead letter. */
export function showMissing(output: Output, jobId: string): void {
  const message = `there is no dead letter with the job id ${JSON.stringify(jobId)}; dead-letters list shows the existing ones`;
  output.note(
    output.isJson ? JSON.stringify({ error: { code: 'not_found', message } }) : visible(`runtime-cleanup: ${message}`),
  );
}

export type Answered = { readonly jobId: string } & (ReplayAnswer | PurgeAnswer);

export function showAnswers(output: Output, jobs: readonly Answered[]): void {
  if (output.isJson) {
    output.document({ jobs });
    return;
  }
  output.table(
    ['JOB', 'ANSWER'],
    jobs.map((job) => [job.jobId, formatAnswer(job)]),
  );
}

function formatAnswer(answer: ReplayAnswer | PurgeAnswer): string {
  switch (answer.status) {
    case 'replayed':
      return 'replayed: it is in the queue again';
    case 'purged':
      return 'purged';
    case 'live':
      return `not changed: it is no longer a dead letter, but ${answer.state}`;
    case 'missing':
      return 'missing: there is no such job';
  }
}

export function showTally(output: Output, action: Action, tally: BulkTally): ExitCode {
  const { done, skipped } = tally;
  if (output.isJson) output.document(tally);
  else if (done + skipped === 0) output.line('There are no such dead letters.');
  else {
    const rest = skipped === 0 ? '' : `; ${skipped} had stopped being dead letters in the meantime`;
    output.line(`${action === 'replayed' ? 'Replayed' : 'Purged'} ${formatCount(done)}${rest}.`);
  }
  return DONE;
}
