/** Text in a stored job: what a store accepts, and what to store instead of JSON that cannot be read. */
import { storable } from '../../../domain/text.js';
import { StoredError } from '../../../domain/errors.js';

/** A copy with JSON types only, every string in it accepted by PostgreSQL's jsonb; strings are not shortened. */
export function storableJson(value: unknown): unknown {
  const json = JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'string' ? storable(part, Number.POSITIVE_INFINITY) : part,
  );
  return json === undefined ? null : JSON.parse(json);
}

/** An error that can be stored as a job's failure: PostgreSQL refuses NUL and lone surrogates in message and stack. */
export function storableError(thrown: unknown): Error {
  const cause = thrown instanceof Error ? thrown : new StoredError(String(thrown));
  const error = new StoredError(storable(cause.message), { cause: thrown });
  error.stack = storable(cause.stack ?? '');
  return error;
}

/** Whether a job may have this id: PostgreSQL stores neither NUL nor lone surrogates. */
export const isJobId = (text: string): boolean => text !== '' && !text.includes('\0') && text.isWellFormed();

/** A job's fields as Redis keeps them: JSON text, written by any client. */
export interface StoredJson {
  readonly data: string | null;
  readonly opts: string | null;
  readonly progress: string | null;
  readonly parent: string | null;
}

const KEPT_CHARACTERS = 500;

interface JsonRepair {
  readonly set: Readonly<Record<string, string>>;
  readonly remove: readonly string[];
}

/**
 * What to store instead of fields that do not parse; undefined when all fields parse. BullMQ cannot pass an unreadable job
 * to its processor: the job would be claimed, lost and found stalled without end. Repaired, it is a job with a bad payload.
 */
export function repairJson({ data, opts, progress, parent }: StoredJson): JsonRepair | undefined {
  const set: Record<string, string> = {};
  if (!isReadable(data))
    set['data'] = JSON.stringify({ unreadable: (data ?? '').slice(0, KEPT_CHARACTERS).toWellFormed() });
  if (!isReadable(opts) || !isObject(opts)) set['opts'] = '{}';
  if (!isReadable(progress)) set['progress'] = '0';
  // BullMQ's scripts parse this field too.
  const remove = isReadable(parent) ? [] : ['parent', 'parentKey'];
  return Object.keys(set).length + remove.length === 0 ? undefined : { set, remove };
}

function isReadable(json: string | null): boolean {
  if (json === null || json === '') return true;
  try {
    JSON.parse(json);
    return true;
  } catch {
    return false;
  }
}

const isObject = (json: string | null): boolean => json === null || json === '' || json.trimStart().startsWith('{');
