import { DatabaseError } from 'pg';

import { messageOf, MissingRightError, UnavailableError } from '../../domain/errors.js';
import { isServerFull, serverFullText } from './server-full.js';
import { isDriverOutage, isOutageState, isSocketFailure, MISSING_RIGHT } from '../outage.js';

/** Whether what pg threw means that the database is out of reach or cannot serve now. Anything else is a bug. */
export function isOutage(error: unknown): boolean {
  if (error instanceof UnavailableError || isServerFull(error)) return true;
  if (error instanceof DatabaseError) return isOutageState(error.code ?? '');
  return isSocketFailure(error) || (error instanceof Error && isDriverOutage(error.message));
}

/** Runs `work`; what it throws because the database cannot serve becomes an `UnavailableError`. */
export async function withUnavailable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof DatabaseError && error.code === MISSING_RIGHT) {
      throw new MissingRightError('postgresql', error.message, { cause: error });
    }
    if (error instanceof UnavailableError || !isOutage(error)) throw error;
    throw new UnavailableError('postgresql', `PostgreSQL is not available: ${outageText(error)}`, { cause: error });
  }
}

/** Node reports a failed connection to several addresses with an empty message. */
function outageText(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ');
  return isServerFull(error) ? serverFullText(messageOf(error)) : messageOf(error);
}
