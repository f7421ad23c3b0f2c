import { Presets, SingleBar } from 'cli-progress';
import type { TextStream } from '../../src/cli/command-context.js';

/** Progress goes to standard error, the result to standard output. */
export interface DemoOutput {
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  /** The result is one JSON document, and no progress is shown. */
  readonly json: boolean;
}

export interface Progress {
  readonly update: (done: number, total: number) => void;
  /** Replaces the progress with a line that stays, and with `details` below it. */
  readonly end: (line: string, details?: readonly string[]) => void;
  /** Removes the bar if it is still shown. */
  readonly stop: () => void;
}

const CLEAR_LINE = '\r\u001B[K';

/** On a terminal: a bar as soon as the total is known, then the last line. Elsewhere: the last line. With JSON: nothing. */
export function startProgress({ stderr, json }: DemoOutput, title: string): Progress {
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
    update: (done, total) => {
      if (!isLive || ended) return;
      bar ??= startBar(total);
      bar.setTotal(total);
      bar.update(done);
    },
    end: (line, details = []) => {
      stop();
      if (!json) stderr.write([line, ...details, ''].join('\n'));
    },
    stop,
  };
}

function createBar(stderr: TextStream, title: string): SingleBar {
  const options = {
    format: `${title} {bar} {value} of {total}`,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the bar uses only what every terminal's stream has
    stream: stderr as NodeJS.WriteStream,
    clearOnComplete: true,
    hideCursor: true,
    // main.ts handles signals; a second handler here would end the process before it has tidied up.
    gracefulExit: false,
  };
  return new SingleBar(options, Presets.shades_classic);
}

/** `850 ms`, `12.3 s`. */
export function shownDuration(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}
