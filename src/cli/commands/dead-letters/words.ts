import { FAILURE_CODES, type FailureCode } from '../../../domain/error-codes.js';

export type Tallies = Readonly<Partial<Record<FailureCode, number>>>;

export const totalOf = (tallies: Tallies): number =>
  FAILURE_CODES.reduce((total, code) => total + (tallies[code] ?? 0), 0);

/** `9 dead letters (7 conflict, 2 not_found)`. */
export function talliesInWords(tallies: Tallies): string {
  const parts = FAILURE_CODES.flatMap((code) => {
    const count = tallies[code] ?? 0;
    return count === 0 ? [] : [`${count} ${code}`];
  });
  return `${lettersInWords(totalOf(tallies))}${parts.length === 0 ? '' : ` (${parts.join(', ')})`}`;
}

export const lettersInWords = (count: number): string => (count === 1 ? '1 dead letter' : `${count} dead letters`);

/** A job id as it is typed behind a command; any client may have chosen it. */
export function asShellWord(text: string): string {
  if (/^\w[\w@%+=:,./-]*$/.test(text)) return text;
  return `-- '${text.replaceAll("'", String.raw`'\''`)}'`;
}
