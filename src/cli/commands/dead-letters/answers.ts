import type { PurgeAnswer, ReplayAnswer } from '../../../jobs/dead-letters.js';
import { DONE, type ExitCode, FAILED } from '../../process/exit-codes.js';
import type { Run } from '../../process/run-command.js';
import { type Output, shown } from '../../terminal/output.js';

/** Standard error's line for a job id that names no dead letter. */
export function sayMissing(output: Output, jobId: string): void {
  const message = `there is no dead letter with the job id ${JSON.stringify(jobId)}; dead-letters list shows those there are`;
  output.note(
    output.isJson ? JSON.stringify({ error: { code: 'not_found', message } }) : shown(`runtime-cleanup: ${message}`),
  );
}

type Answered = { readonly jobId: string } & (ReplayAnswer | PurgeAnswer);

/**
 * Asks for one job after the other and shows what became of each; failed when one was missing. What was answered
 * before an outage is shown all the same.
 */
export async function eachJob(
  { session, output }: Run,
  jobIds: readonly string[],
  ask: (jobId: string) => Promise<ReplayAnswer | PurgeAnswer>,
): Promise<ExitCode> {
  const jobs: Answered[] = [];
  try {
    for (const jobId of jobIds) {
      session.signal.throwIfAborted();
      jobs.push({ jobId, ...(await ask(jobId)) });
    }
  } catch (thrown) {
    if (jobs.length > 0) showAnswers(output, jobs);
    throw thrown;
  }
  showAnswers(output, jobs);
  return jobs.some(({ status }) => status === 'missing') ? FAILED : DONE;
}

function showAnswers(output: Output, jobs: readonly Answered[]): void {
  if (output.isJson) {
    output.document({ jobs });
    return;
  }
  output.table(
    ['JOB', 'ANSWER'],
    jobs.map((job) => [job.jobId, answerInWords(job)]),
  );
}

function answerInWords(answer: ReplayAnswer | PurgeAnswer): string {
  switch (answer.status) {
    case 'replayed':
      return 'replayed: it is in the queue again';
    case 'purged':
      return 'purged';
    case 'live':
      return `left alone: it is no dead letter any more, but ${answer.state}`;
    case 'missing':
      return 'missing: there is no such job';
  }
}
