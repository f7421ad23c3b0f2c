import pico from 'picocolors';
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
  /** Results as a table, for people; every cell is made safe to show. */
  readonly table: (head: readonly string[], rows: readonly (readonly string[])[]) => void;
  /** The whole result as one JSON document, for machines. */
  readonly document: (value: unknown) => void;
  /** A remark beside the result; goes to standard error. */
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
      const [titles = '', ...lines] = alignedLines([head, ...rows.map((row) => row.map(shown))]);
      line(colours.bold(titles));
      for (const text of lines) line(text);
    },
    document: (value) => line(JSON.stringify(value, null, 2)),
    note: (text) => void stderr.write(`${text}\n`),
  };
}

/** Only a terminal gets colours, and not one that asks for none (https://no-color.org). */
function wantsColours(stream: TextStream, environment: Environment): boolean {
  const asksForNone = (environment['NO_COLOR'] ?? '') !== '' || environment['TERM'] === 'dumb';
  return stream.isTTY === true && !asksForNone;
}

/** Text from outside without what a terminal would obey: control characters and changes of writing direction. */
export function shown(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\u202A-\u202E\u2066-\u2069]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** An instant as people read it, to the second; empty where it is none that JavaScript knows. */
export function shownTime(instant: Date | null): string {
  return instant === null || Number.isNaN(instant.getTime())
    ? ''
    : instant
        .toISOString()
        .replace('T', ' ')
        .replace(/\.\d+Z$/, 'Z');
}
