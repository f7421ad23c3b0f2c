import type { ErrorCode } from './error-codes.js';

export const OP_KIND = 'cleanup_container';
/** Undoes a cleanup that found the container already gone. */
export const REOPEN_OP_KIND = 'reopen_record';

export const OP_SOURCES = ['lobby_stream', 'gm_rest', 'admin_rest', 'auto_ttl', 'operator_cli'] as const;
export type OpSource = (typeof OP_SOURCES)[number];

export const GAME_ID_MAX_CHARACTERS = 256;
export const SOURCE_REF_MAX_CHARACTERS = 256;

/** Who asks for which game, unchecked: the text as it arrived. */
export interface CleanupCommand {
  readonly gameId: string;
  readonly opSource: string;
  /** The caller's own reference, or the empty string. */
  readonly sourceRef: string;
  /** Precondition: the record must name this container. Null when the caller has none. */
  readonly expectedContainerId: string | null;
  /** Which try of which job this is; written to the operation log. */
  readonly jobId: string;
  readonly attempt: number;
}

/**
 * What a success did to the container: a cleanup removed it, the engine that owned it no longer has it, or the record
 * named none. The empty text: a replay, a failure, or a row from before the column.
 */
export const REMOVALS = ['removed', 'already_gone', 'none'] as const;
export type Removal = (typeof REMOVALS)[number];

/** The word as it is stored; empty for any other value: results of older versions have no word. */
export const removalOf = (stored: unknown): Removal | '' => REMOVALS.find((removal) => removal === stored) ?? '';

/** One row of the append-only `operation_log`; its times are taken from the database's clock when it is written. */
export interface OperationEntry {
  readonly gameId: string;
  readonly opKind: typeof OP_KIND | typeof REOPEN_OP_KIND;
  readonly opSource: string;
  readonly sourceRef: string;
  readonly imageRef: string;
  readonly containerId: string;
  readonly outcome: 'success' | 'failure';
  readonly errorCode: ErrorCode;
  readonly errorMessage: string;
  /** How long the operation took; `started_at` is the row's finish less this. */
  readonly elapsedMs: number;
  readonly jobId: string;
  readonly attempt: number;
  readonly removal: Removal | '';
  /** The name of the engine that was asked; empty where none was. */
  readonly engine: string;
  /** Who asked: the name of an API token, of a user or of a producer; empty where it is not known. */
  readonly actor: string;
}

// Code points, as JSON Schema's maxLength counts.
const characters = (text: string): number => Array.from(text).length;
const hasControlCharacter = (text: string): boolean => /\p{Cc}/u.test(text);
const quoted = (text: string): string =>
  JSON.stringify(text.length > 80 ? `${text.slice(0, 80).toWellFormed()}…` : text);

/** Why `text` is no game id, or undefined when it is one. Judge the trimmed text. */
export function gameIdProblem(text: string): string | undefined {
  if (text === '') return 'gameId is empty; a game id has 1 to 256 characters';
  if (!text.isWellFormed()) return `gameId ${quoted(text.toWellFormed())} is not well-formed Unicode (lone surrogate)`;
  if (hasControlCharacter(text))
    return `gameId ${quoted(text)} contains a control character; any other Unicode is allowed`;
  const length = characters(text);
  if (length > GAME_ID_MAX_CHARACTERS) {
    return `gameId ${quoted(text)} has ${length} characters; at most ${GAME_ID_MAX_CHARACTERS} are allowed`;
  }
  return undefined;
}

/** Why `text` is no source reference, or undefined when it is one (the empty string is). */
export function sourceRefProblem(text: string): string | undefined {
  if (!text.isWellFormed() || text.includes('\0'))
    return `sourceRef ${quoted(text.toWellFormed())} is not storable text`;
  const length = characters(text);
  if (length > SOURCE_REF_MAX_CHARACTERS) {
    return `sourceRef has ${length} characters; at most ${SOURCE_REF_MAX_CHARACTERS} are allowed`;
  }
  return undefined;
}

export function isOpSource(text: string): text is OpSource {
  return (OP_SOURCES as readonly string[]).includes(text);
}

/** What to say of a text that is no operation source. */
export function unknownOpSource(text: string): string {
  return `opSource ${quoted(text.toWellFormed())} is unknown; allowed: ${OP_SOURCES.join(', ')}`;
}

/** Why `text` is no operation source, or undefined when it is one. */
export function opSourceProblem(text: string): string | undefined {
  return isOpSource(text) ? undefined : unknownOpSource(text);
}
