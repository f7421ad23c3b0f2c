import type { BulkOptions, BulkTally } from '../jobs/dead-letters.js';
import type { Run } from './host.js';
import { followProgress } from './progress.js';

/** Does something to many dead letters, with progress; whoever stops it learns how far it came. */
export async function bulk(
  { session, output }: Run,
  did: 'replayed' | 'purged',
  work: (options: Required<Pick<BulkOptions, 'onProgress' | 'signal'>>) => Promise<BulkTally>,
): Promise<BulkTally> {
  const progress = followProgress(output, did);
  try {
    return await work({ onProgress: progress.onProgress, signal: session.signal });
  } catch (thrown) {
    progress.stop();
    if (progress.done() > 0) output.note(`${progress.done()} were ${did} already; ask again for the rest.`);
    throw thrown;
  } finally {
    progress.stop();
  }
}
