import { mkdtempSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync, renameSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from '../../support/eventually.js';

/** A point of a job: before or after one of its steps. */
export interface Point {
  readonly step: string;
  readonly at: 'start' | 'end';
}

/** One line of the workers' journal. */
export interface Seen {
  /** Monotonic time of the machine, in nanoseconds: comparable between processes. */
  readonly ns: number;
  readonly pid: number;
  readonly step?: string;
  readonly at?: 'start' | 'end' | 'error';
  readonly facts?: Readonly<Record<string, unknown>>;
  /** The result, as the port returned it. */
  readonly said?: string | boolean;
  readonly fence?: string;
  /** Set on the line that records the carrying out of an order. */
  readonly order?: string;
  readonly signal?: NodeJS.Signals;
}

export interface Order {
  readonly id: string;
  /** Resolves when a worker carries it out, to its process and time. */
  readonly carriedOut: (withinMs?: number) => Promise<Seen>;
  readonly isCarriedOut: () => boolean;
  /** Withdraws the order, unless it has been carried out. */
  readonly withdraw: () => void;
}

/** The connection between the laboratory and the module that its workers load. */
export interface StepControl {
  /** For the workers' environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** The first worker that reaches this point for `about` (a game, a container) sends itself the signal. */
  readonly order: (point: Point, signal: NodeJS.Signals, about?: string) => Order;
  /** Every step of every worker so far, in the order in which they were written. */
  readonly seen: () => readonly Seen[];
  /** The steps from now on, so that a long journal is not read again from its beginning. */
  readonly follow: () => () => readonly Seen[];
  readonly remove: () => void;
}

// A limit for hanging workers. On a busy machine a worker starts slowly.
const PASSED_WITHIN_MS = 120_000;

const PRELOAD = fileURLToPath(new URL('step-control-in-worker.mjs', import.meta.url));

/** The clock of `Seen.ns`. */
export const nowNs = (): number => Number(process.hrtime.bigint());

export function createStepControl(): StepControl {
  const folder = mkdtempSync(join(tmpdir(), 'laboratory-'));
  const orders = join(folder, 'orders');
  const journal = join(folder, 'steps.jsonl');
  mkdirSync(orders);
  writeFileSync(journal, '');
  let count = 0;

  const linesOf = (text: string): Seen[] =>
    text
      .split('\n')
      // The last line may be incomplete.
      .filter((line) => line.endsWith('}'))
      .map((line) => JSON.parse(line) as Seen);
  const seen = (): Seen[] => linesOf(readFileSync(journal, 'utf8'));
  const follow: StepControl['follow'] = () => {
    const from = statSync(journal).size;
    return () => linesOf(readFileSync(journal).subarray(from).toString());
  };

  const order: StepControl['order'] = (point, signal, about) => {
    const id = String(++count);
    const file = join(orders, `${id}.json`);
    const done = `${file}.done`;
    // Written under another name and renamed, so that no worker reads a part of it.
    writeFileSync(`${file}.tmp`, JSON.stringify({ id, ...point, signal, about }));
    renameSync(`${file}.tmp`, file);
    return {
      id,
      isCarriedOut: () => existsSync(done),
      carriedOut: (withinMs = PASSED_WITHIN_MS) =>
        eventually(
          () => {
            const line = existsSync(done) ? seen().find((one) => one.order === id) : undefined;
            if (line === undefined)
              throw new Error(`no worker reached ${point.step}, ${point.at} of ${about ?? 'any game'}`);
            return line;
          },
          { withinMs },
        ),
      withdraw: () => rmSync(file, { force: true }),
    };
  };

  return {
    environment: { NODE_OPTIONS: `--import=${PRELOAD}`, LABORATORY_FOLDER: folder },
    order,
    seen,
    follow,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
