import type { BulkOptions, BulkTally } from '../../../jobs/dead-letters.js';
import { lettersInWords } from './words.js';
import { DONE, type ExitCode } from '../../process/exit-codes.js';
import type { Run } from '../../process/run-command.js';
import type { Output } from '../../terminal/output.js';
import { followProgress } from '../../terminal/progress.js';

type Deed = 'replayed' | 'purged';

/** Does something to many dead letters, with progress; whoever stops it learns how far it came. */
export async function bulk(
  { session, output }: Run,
  deed: Deed,
  work: (options: Required<Pick<BulkOptions, 'onProgress' | 'signal'>>) => Promise<BulkTally>,
): Promise<ExitCode> {
  const progress = followProgress(output, deed);
  try {
    const tally = await work({ onProgress: progress.onProgress, signal: session.signal });
    progress.stop();
    return sayTally(output, deed, tally);
  } catch (thrown) {
    progress.stop();
    if (progress.done() > 0) output.note(`${progress.done()} were ${deed} already; ask again for the rest.`);
    throw thrown;
  }
}

export function sayTally(output: Output, deed: Deed, tally: BulkTally): ExitCode {
  const { done, skipped } = tally;
  if (output.isJson) output.document(tally);
  else if (done + skipped === 0) output.line('There are no such dead letters.');
  else {
    const rest = skipped === 0 ? '' : `; ${skipped} were none any more when their turn came`;
    output.line(`${deed === 'replayed' ? 'Replayed' : 'Purged'} ${lettersInWords(done)}${rest}.`);
  }
  return DONE;
}
