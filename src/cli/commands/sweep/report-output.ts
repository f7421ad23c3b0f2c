import type { SweepReport } from '../../../retention/ports.js';
import { DONE, type ExitCode, FAILED } from '../../process/exit-codes.js';
import type { Output } from '../../terminal/command-output.js';

/** Shows how a sweep ended. */
export function showReport(output: Output, report: SweepReport): ExitCode {
  if (output.isJson) output.document(report);
  else showLines(output, report);
  return report.status === 'done' && report.failed === 0 ? DONE : FAILED;
}

function showLines({ line, note }: Output, report: SweepReport): void {
  switch (report.status) {
    case 'busy':
      note('runtime-cleanup: another sweep is running; this one enqueued nothing');
      return;
    case 'refused':
      note(`runtime-cleanup: the sweep was refused: ${report.reason}`);
      note('`runtime-cleanup sweep --dry-run` shows what the sweep would have enqueued.');
      return;
    case 'done': {
      const { planned, enqueued, coalesced, failed } = report;
      if (planned === 0) line(`None of ${report.stopped} stopped containers is due.`);
      else
        line(
          `${planned} of ${report.stopped} stopped containers are due: ${enqueued} enqueued, ${coalesced} were already in the queue.`,
        );
      const kept = keptOf(report.kept);
      if (kept !== '') line(`Due but kept: ${kept}.`);
      if (enqueued > 0) note('Workers remove the containers; `runtime-cleanup log <game-id>` shows the results.');
      if (failed > 0) note(`runtime-cleanup: ${failed} could not be enqueued; the log lines above name them`);
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
    invalidIds > 0 ? `${invalidIds} with an invalid game id` : '',
  ]
    .filter((part) => part !== '')
    .join(', ');
}
