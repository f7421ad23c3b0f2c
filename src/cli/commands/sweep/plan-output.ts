import { shownSpan } from '../../../config/duration.js';
import type { Judgement } from '../../../retention/judge-record.js';
import type { RetentionSummary } from '../../../retention/retention-service.js';
import { DONE, type ExitCode } from '../../process/exit-codes.js';
import { formatHoldEnd } from '../holds/output.js';
import { type Output, shownTime } from '../../terminal/command-output.js';

/** What a sweep would do; the field names are those of `--json`. */
interface ShownPlan {
  readonly asOf: Date;
  readonly plan: readonly Judgement[];
  readonly next: string | null;
  readonly summary: RetentionSummary;
}

export function showPlan(output: Output, shownPlan: ShownPlan): ExitCode {
  if (output.isJson) {
    output.document(shownPlan);
    return DONE;
  }
  const { asOf, plan, next, summary } = shownPlan;
  if (plan.length > 0) {
    output.table(
      ['GAME', 'CONTAINER', 'STOPPED', 'DUE', 'VERDICT', 'WHY'],
      plan.map((judgement) => [
        judgement.gameId,
        judgement.containerId?.slice(0, 12) ?? '',
        shownTime(judgement.stoppedSince),
        judgement.dueAt === null ? '' : shownTime(judgement.dueAt),
        judgement.verdict,
        whyOf(judgement, asOf),
      ]),
    );
    output.line('');
  }
  for (const line of summaryLines(summary)) output.line(line);
  if (next !== null) output.note('There are more; leave --limit out to see all.');
  return DONE;
}

/** Why a record is due or kept, in a few words. */
function whyOf({ verdict, dueAt, hold, deadLetter }: Judgement, asOf: Date): string {
  const spanMs = dueAt === null ? 0 : Math.abs(dueAt.getTime() - asOf.getTime());
  switch (verdict) {
    case 'due':
      return dueAt === null ? '' : `for ${shownSpan(spanMs)}`;
    case 'not_due':
      return dueAt === null ? 'never due' : `in ${shownSpan(spanMs)}`;
    case 'held':
      return hold === null ? '' : `by ${hold.heldBy} ${formatHoldEnd(hold)}: ${hold.reason}`;
    case 'dead_letter':
      return deadLetter === null ? '' : `${deadLetter.code}; see dead-letters show ${deadLetter.jobId}`;
    case 'invalid_id':
      return 'the game id in the record is invalid, so no job can name it';
    case 'unsupported_status':
      return 'this version does not know the status of the record';
    case 'running':
    case 'removed':
      return '';
  }
}

function summaryLines(summary: RetentionSummary): readonly string[] {
  const { due, held, deadLetters, running, stopped, removed, lagMs, retentionMs, refusal } = summary;
  const kept = [held > 0 ? `${held} held` : '', deadLetters > 0 ? `${deadLetters} with a dead letter` : '']
    .filter((part) => part !== '')
    .join(', ');
  const late = due === 0 ? '' : `, the oldest for ${shownSpan(lagMs)}`;
  return [
    `${due} of ${stopped} stopped containers are due after ${shownSpan(retentionMs)}${late}.` +
      (kept === '' ? '' : ` Due but kept: ${kept}.`),
    `Records: ${running} running, ${stopped} stopped, ${removed} removed.`,
    refusal === null ? sweepLine(due) : `A sweep would be refused: ${refusal}.`,
  ];
}

function sweepLine(due: number): string {
  if (due === 0) return 'A sweep would enqueue nothing now.';
  return `A sweep would enqueue ${due === 1 ? '1 cleanup' : `${due} cleanups`}.`;
}
