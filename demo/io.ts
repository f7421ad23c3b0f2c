import { Presets, SingleBar } from 'cli-progress';
import type { TextStream } from '../src/cli/command-context.js';

/** How the demonstration talks to whoever watches it: progress on standard error, its table on standard output. */
export interface DemoIo {
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  readonly json: boolean;
}

export interface Progress {
  /** So many of so many are done. */
  readonly at: (done: number, total: number) => void;
  /** Ends it with a line that stays, and more below it. */
  readonly end: (line: string, more?: readonly string[]) => void;
  /** Takes the bar away, if there is one still. */
  readonly stop: () => void;
}

const CLEAR_LINE = '\r\u001B[K';

/** On a terminal a bar once something can be counted; everywhere a line at the end; nothing at all for machines. */
export function startProgress({ stderr, json }: DemoIo, title: string): Progress {
  const isLive = stderr.isTTY === true && !json;
  let bar: SingleBar | undefined;
  let ended = false;
  if (isLive) stderr.write(`${title} ...`);

  const startBar = (total: number): SingleBar => {
    stderr.write(CLEAR_LINE);
    const started = createBar(stderr, title);
    started.start(total, 0);
    return started;
  };
  const stop = (): void => {
    if (ended) return;
    ended = true;
    if (bar !== undefined) bar.stop();
    else if (isLive) stderr.write(CLEAR_LINE);
  };
  return {
    at: (done, total) => {
      if (!isLive || ended) return;
      bar ??= startBar(total);
      bar.setTotal(total);
      bar.update(done);
    },
    end: (line, more = []) => {
      stop();
      if (!json) stderr.write([line, ...more, ''].join('\n'));
    },
    stop,
  };
}

function createBar(stderr: TextStream, title: string): SingleBar {
  const options = {
    format: `${title} {bar} {value} of {total}`,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of a stream, the bar uses what a terminal's has
    stream: stderr as NodeJS.WriteStream,
    clearOnComplete: true,
    hideCursor: true,
    // Signals have one listener, and it is not this.
    gracefulExit: false,
  };
  return new SingleBar(options, Presets.shades_classic);
}

/** `850 ms`, `12.3 s`. */
export function shownDuration(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}
