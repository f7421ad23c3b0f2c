import { shownSpan } from '../../../config/duration.js';
import type { Judgement } from '../../../retention/judge-record.js';
import type { RetentionSummary } from '../../../retention/retention-service.js';
import { DONE, type ExitCode } from '../../process/exit-codes.js';
import { endOfHold } from '../holds/words.js';
import { type Output, shownTime } from '../../terminal/output.js';

/** What a sweep would do; the names are those of `--json`. */
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

/** Why a record is due or stays, in a few words. */
function whyOf({ verdict, dueAt, hold, deadLetter }: Judgement, asOf: Date): string {
  const spanMs = dueAt === null ? 0 : Math.abs(dueAt.getTime() - asOf.getTime());
  switch (verdict) {
    case 'due':
      return dueAt === null ? '' : `for ${shownSpan(spanMs)}`;
    case 'not_due':
      return dueAt === null ? 'its time never comes' : `in ${shownSpan(spanMs)}`;
    case 'held':
      return hold === null ? '' : `by ${hold.heldBy} ${endOfHold(hold)}: ${hold.reason}`;
    case 'dead_letter':
      return deadLetter === null ? '' : `${deadLetter.code}; see dead-letters show ${deadLetter.jobId}`;
    case 'invalid_id':
      return 'the game id in the record is none, so no job can name it';
    case 'unsupported_status':
      return 'a status that this version does not know';
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
      (kept === '' ? '' : ` Past their time but kept: ${kept}.`),
    `Records: ${running} running, ${stopped} stopped, ${removed} removed.`,
    refusal === null ? sweepLine(due) : `A sweep would be refused: ${refusal}.`,
  ];
}

const sweepLine = (due: number): string =>
  due === 0 ? 'A sweep would do nothing now.' : `A sweep would ask for ${due} to be removed.`;
