import type { SweepReport } from '../../../retention/ports.js';
import { DONE, type ExitCode, FAILED } from '../../process/exit-codes.js';
import type { Output } from '../../terminal/output.js';

/** Says how a sweep ended. */
export function showReport(output: Output, report: SweepReport): ExitCode {
  if (output.isJson) output.document(report);
  else tell(output, report);
  return report.status === 'done' && report.failed === 0 ? DONE : FAILED;
}

function tell({ line, note }: Output, report: SweepReport): void {
  switch (report.status) {
    case 'busy':
      note('runtime-cleanup: another sweep is running; this one did nothing');
      return;
    case 'refused':
      note(`runtime-cleanup: the sweep was refused: ${report.reason}`);
      note('`runtime-cleanup sweep --dry-run` shows what it would have taken.');
      return;
    case 'done': {
      const { planned, enqueued, coalesced, failed } = report;
      if (planned === 0) line(`None of ${report.stopped} stopped containers is due.`);
      else
        line(
          `${planned} of ${report.stopped} stopped containers are due: ${enqueued} enqueued, ${coalesced} were in the queue already.`,
        );
      const kept = keptOf(report.kept);
      if (kept !== '') line(`Past their time but kept: ${kept}.`);
      if (enqueued > 0) note('A worker removes them; `runtime-cleanup log <game-id>` shows how it went.');
      if (failed > 0) note(`runtime-cleanup: ${failed} could not be enqueued; the log above names them`);
    }
  }
}

function keptOf({
  held,
  dead_letter: deadLetters,
  invalid_id: invalidIds,
}: { readonly [Kind in 'held' | 'dead_letter' | 'invalid_id']: number }): string {
  return [
    held > 0 ? `${held} held` : '',
    deadLetters > 0 ? `${deadLetters} with a dead letter` : '',
    invalidIds > 0 ? `${invalidIds} whose game id is none` : '',
  ]
    .filter((part) => part !== '')
    .join(', ');
}
