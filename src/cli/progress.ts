import { Presets, SingleBar } from 'cli-progress';
import { shown, type Output } from './output.js';
import type { TextStream } from './ports.js';

export interface Progress {
  /** One more is done; `what` is said where there is no bar. */
  readonly advance: (count: number, what: string) => void;
  readonly stop: () => void;
}

/** A bar on a terminal, a line for each step elsewhere, and nothing at all for machines. */
export function startProgress(output: Output, title: string, total: number): Progress {
  if (output.isJson) return { advance: () => {}, stop: () => {} };
  const { stderr } = output;
  if (!isTerminal(stderr)) return { advance: (_count, what) => output.note(shown(what)), stop: () => {} };
  const bar = new SingleBar(
    {
      format: `${title} {bar} {value} of {total}`,
      stream: stderr,
      clearOnComplete: true,
      // Else a process that is ended at once leaves the terminal unable to wrap lines.
      linewrap: true,
      // Signals have one listener, and it knows more than the bar does.
      gracefulExit: false,
    },
    Presets.shades_classic,
  );
  bar.start(total, 0);
  return { advance: (count) => bar.increment(count), stop: () => bar.stop() };
}

export interface FollowedProgress {
  readonly onProgress: (progress: { readonly done: number; readonly total: number }) => void;
  /** How far it came; to be told to whoever stopped it. */
  readonly done: () => number;
  readonly stop: () => void;
}

/** Shows the progress of work that learns only when it has begun how much there is to do. */
export function followProgress(output: Output, title: string): FollowedProgress {
  let progress: Progress | undefined;
  let doneSoFar = 0;
  return {
    onProgress: ({ done, total }) => {
      progress ??= startProgress(output, title, total);
      progress.advance(done - doneSoFar, `${title} ${done} of ${total}`);
      doneSoFar = done;
    },
    done: () => doneSoFar,
    stop: () => progress?.stop(),
  };
}

const isTerminal = (stream: TextStream): stream is NodeJS.WriteStream => stream.isTTY === true;
