import { Presets, SingleBar } from 'cli-progress';
import { visible } from '../../domain/text.js';
import type { Output } from './command-output.js';
import type { TextStream } from '../command-context.js';

export interface Progress {
  /** `count` more are done; `what` is the line that is written when there is no bar. */
  readonly advance: (count: number, what: string) => void;
  readonly stop: () => void;
}

/** A bar on a terminal, a line for each step elsewhere, and nothing with `--json`. */
export function startProgress(output: Output, title: string, total: number): Progress {
  if (output.isJson) return { advance: () => {}, stop: () => {} };
  const { stderr } = output;
  if (!isTerminal(stderr)) return { advance: (_count, what) => output.note(visible(what)), stop: () => {} };
  const bar = new SingleBar(
    {
      format: `${title} {bar} {value} of {total}`,
      stream: stderr,
      clearOnComplete: true,
      // Without it, a process that is ended at once leaves the terminal without line wrapping.
      linewrap: true,
      // Stop signals have one listener, in process/stop-signals.ts.
      gracefulExit: false,
    },
    Presets.shades_classic,
  );
  bar.start(total, 0);
  return { advance: (count) => bar.increment(count), stop: () => bar.stop() };
}

export interface FollowedProgress {
  readonly onProgress: (progress: { readonly done: number; readonly total: number }) => void;
  /** How many are done; shown when the command is stopped. */
  readonly done: () => number;
  readonly stop: () => void;
}

/** How many lines of progress are written, and in how many steps a bar moves. */
const LINES = 10;
const BAR_STEPS = 100;

/** Shows the progress of work whose total is known only after it has begun. */
export function followProgress(output: Output, title: string): FollowedProgress {
  let progress: Progress | undefined;
  let doneSoFar = 0;
  let reported = 0;
  return {
    onProgress: ({ done, total }) => {
      doneSoFar = done;
      if (total === 0) return;
      progress ??= startProgress(output, title, total);
      const step = total / (isTerminal(output.stderr) ? BAR_STEPS : LINES);
      if (done - reported < step && (done < total || done === reported)) return;
      progress.advance(done - reported, `${title} ${done} of ${total}`);
      reported = done;
    },
    done: () => doneSoFar,
    stop: () => progress?.stop(),
  };
}

const isTerminal = (stream: TextStream): stream is NodeJS.WriteStream => stream.isTTY === true;
