import { storable } from '../../../domain/text.js';
import { StoredError } from '../../../domain/errors.js';

/** A copy with JSON types only, every text in it fit for PostgreSQL's jsonb; text is shortened by nothing but that. */
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

/** Whether a job may have this id: PostgreSQL can hold no NUL and no lone surrogate. */
export const isJobId = (text: string): boolean => text !== '' && !text.includes('\0') && text.isWellFormed();
