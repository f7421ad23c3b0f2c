/** The form of one setting: its texts, how it is read, its default and how it is shown. */
import type { EngineHost } from './engine-hosts.js';
import { type Parser, type Reading, reasonOf } from './parsers.js';

/** What `--help` and the README say about one setting. */
export interface Setting {
  /** The variable. */
  readonly name: string;
  /** The default, or what follows when the variable is not set. */
  readonly fallback: string;
  readonly meaning: string;
  readonly allowed: string;
  readonly unit?: string;
}

/** What defaults are made of, beside the settings above theirs. */
export interface Surroundings {
  readonly databaseUrl?: string | null;
  readonly redisUrl?: string | null;
  readonly queueBackend?: 'redis' | 'postgres';
  readonly leaseStore?: 'redis' | 'postgres';
  readonly dockerHosts?: readonly EngineHost[];
  readonly workerConcurrency?: number;
  readonly isRoot: boolean;
  readonly homeDir: string | null;
  /** `XDG_DATA_HOME`. */
  readonly dataHome: string | undefined;
}

export interface Field<Value> extends Setting {
  readonly read: (text: string) => Reading<Value>;
  readonly valueWhenNotSet: (surroundings: Surroundings) => Value;
  /** The value as it is printed at the start, without secrets. */
  readonly show: (value: Value) => string | number;
}

interface Texts<Value> extends Omit<Setting, 'name'> {
  readonly show?: (value: Value) => string | number;
}

const plain = (value: unknown): string | number => (typeof value === 'number' ? value : String(value));

/** A setting whose default depends on other settings or on the machine. */
export function derived<Value>(
  name: string,
  parser: Parser<Value>,
  { whenNotSet, show, ...texts }: Texts<Value> & { readonly whenNotSet: (surroundings: Surroundings) => Value },
): Field<Value> {
  const read = (text: string): Reading<Value> => {
    const { data, error } = parser.safeParse(text);
    return error === undefined ? { ok: true, value: data } : { ok: false, why: reasonOf(error) };
  };
  return { name, ...texts, read, valueWhenNotSet: whenNotSet, show: show ?? plain };
}

/** A setting with a default; the default is read like any other value. */
export const setting = <Value>(name: string, parser: Parser<Value>, texts: Texts<Value>): Field<Value> =>
  derived(name, parser, { ...texts, whenNotSet: () => parser.parse(texts.fallback) });

/** A setting that may be missing: null. */
export const optional = (name: string, parser: Parser<string>, texts: Texts<string>): Field<string | null> =>
  derived<string | null>(name, parser, {
    ...texts,
    whenNotSet: () => null,
    show: (value) => (value === null ? 'not set' : (texts.show ?? plain)(value)),
  });
