import type { ErrorCode } from '../../../../src/domain/error-codes.js';
import type { JobOutcome } from '../../../../src/jobs/delivery.js';
import type { Group } from './group.js';
import { SOURCES, type Source, TABLE } from './table.js';

type KeysOfEach<Union> = Union extends unknown ? keyof Union : never;
export type RowId = { [Name in Source]: KeysOfEach<(typeof TABLE)[Name][number]['situations']> }[Source];

/** One row of the table. */
export interface Row {
  readonly id: string;
  readonly source: Source;
  readonly situation: string;
  readonly code: ErrorCode;
  readonly job: JobOutcome['action'];
  readonly rowIsLost: boolean;
}

export const ROWS: readonly Row[] = SOURCES.flatMap((source) => {
  const groups: readonly Group[] = TABLE[source];
  return groups.flatMap(({ code, job, rowIsLost = false, situations }) =>
    Object.entries(situations).map(([id, situation]) => ({ id, source, situation, code, job, rowIsLost })),
  );
});

export function rowOf(id: RowId): Row {
  const found = ROWS.find((one) => one.id === id);
  if (found === undefined) throw new Error(`the table has no row ${id}`);
  return found;
}

/** Marks a test, in its title, as the one that provokes this row on a real service; the check finds it by this call. */
export const row = (id: RowId): string => `${id}: ${rowOf(id).situation}`;

const JOB_WORDS = { complete: 'completed', hold: 'held', retry: 'retried', dead_letter: 'dead letter' } as const;

/** The tables of the page, one for each source. */
export function rowsMarkdown(): string {
  const line = ({ id, situation, code, job, rowIsLost }: Row): string => {
    const shownCode = code === '' ? '*(empty)*' : `\`${code}\``;
    return `| \`${id}\` | ${situation} | ${shownCode} | ${JOB_WORDS[job]}${rowIsLost ? ', without a row' : ''} |`;
  };
  return SOURCES.map((source) =>
    [
      `### ${source}`,
      '',
      '| row | situation | code | job |',
      '|---|---|---|---|',
      ...ROWS.filter((one) => one.source === source).map(line),
      '',
    ].join('\n'),
  ).join('\n');
}
