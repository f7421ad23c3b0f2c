import { Presets, SingleBar } from 'cli-progress';
import { shown, type Output } from './output.js';
import type { TextStream } from '../command-context.js';

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

/** How often lines tell of work that is done piece by piece, and how finely a bar moves. */
const LINES = 10;
const BAR_STEPS = 100;

/** Shows the progress of work that learns only when it has begun how much there is to do. */
export function followProgress(output: Output, title: string): FollowedProgress {
  let progress: Progress | undefined;
  let doneSoFar = 0;
  let told = 0;
  return {
    onProgress: ({ done, total }) => {
      doneSoFar = done;
      if (total === 0) return;
      progress ??= startProgress(output, title, total);
      const step = total / (isTerminal(output.stderr) ? BAR_STEPS : LINES);
      if (done - told < step && (done < total || done === told)) return;
      progress.advance(done - told, `${title} ${done} of ${total}`);
      told = done;
    },
    done: () => doneSoFar,
    stop: () => progress?.stop(),
  };
}

const isTerminal = (stream: TextStream): stream is NodeJS.WriteStream => stream.isTTY === true;
