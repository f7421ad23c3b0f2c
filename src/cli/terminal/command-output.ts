import pico from 'picocolors';
import { visible } from '../../domain/text.js';
import type { Environment } from '../../config/environment.js';
import { alignedLines } from './table.js';
import type { TextStream } from '../command-context.js';

type Colours = ReturnType<typeof pico.createColors>;

export interface Output {
  readonly isJson: boolean;
  /** For standard output. */
  readonly colours: Colours;
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  /** One line of result, for people. */
  readonly line: (text: string) => void;
  /** Results as a table, for people; control characters in cells are made visible. */
  readonly table: (head: readonly string[], rows: readonly (readonly string[])[]) => void;
  /** The whole result as one JSON document, for machines. */
  readonly document: (value: unknown) => void;
  /** A remark that is not part of the result; goes to standard error. */
  readonly note: (text: string) => void;
}

export interface OutputOptions {
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  readonly environment: Environment;
  readonly isJson: boolean;
}

/** Results go to standard output, everything else to standard error, so that a pipe carries results only. */
export function createOutput({ stdout, stderr, environment, isJson }: OutputOptions): Output {
  const colours = pico.createColors(wantsColours(stdout, environment));
  const line = (text: string) => void stdout.write(`${text}\n`);
  return {
    isJson,
    colours,
    stdout,
    stderr,
    line,
    table: (head, rows) => {
      const [titles = '', ...lines] = alignedLines([head, ...rows.map((row) => row.map(visible))]);
      line(colours.bold(titles));
      for (const text of lines) line(text);
    },
    document: (value) => line(JSON.stringify(value, null, 2)),
    note: (text) => void stderr.write(`${text}\n`),
  };
}

/** Only a terminal gets colours, and not when the user has switched them off (https://no-color.org). */
function wantsColours(stream: TextStream, environment: Environment): boolean {
  const isSwitchedOff = (environment['NO_COLOR'] ?? '') !== '' || environment['TERM'] === 'dumb';
  return stream.isTTY === true && !isSwitchedOff;
}

/** A time to the second; empty without a time, or when JavaScript cannot represent it. */
export function shownTime(instant: Date | null): string {
  return instant === null || Number.isNaN(instant.getTime())
    ? ''
    : instant
        .toISOString()
        .replace('T', ' ')
        .replace(/\.\d+Z$/, 'Z');
}
