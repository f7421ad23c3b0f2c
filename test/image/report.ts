/** What the run measured, told by the tests as they go and printed when all are done. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Table from 'cli-table3';

interface Figure {
  readonly what: string;
  readonly result: string;
}

/** What was done to the platform while it worked, and what came of its jobs. */
export interface Ending {
  readonly fault: string;
  readonly games: number;
  readonly removed: number;
  readonly successRows: number;
  readonly deadLetters: number;
  readonly allEndedMs: number;
}

const fileIn = (folder: string): string => join(folder, 'report.jsonl');

export function tell(folder: string, entry: Figure | Ending): void {
  appendFileSync(fileIn(folder), `${JSON.stringify(entry)}\n`);
}

export function reportOf(folder: string): string {
  if (!existsSync(fileIn(folder))) return '';
  const entries = readFileSync(fileIn(folder), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Figure | Ending);
  return [figuresOf(entries.filter((entry) => 'what' in entry)), endingsOf(entries.filter((entry) => 'fault' in entry))]
    .filter((part) => part !== '')
    .join('\n');
}

const figuresOf = (figures: readonly Figure[]): string =>
  figures.map(({ what, result }) => `${what}: ${result}`).join('\n');

function endingsOf(endings: readonly Ending[]): string {
  if (endings.length === 0) return '';
  const head = ['while games were cleaned', 'games', 'removed', 'success rows', 'dead letters', 'all ended after'];
  const table = new Table({ head, style: { head: [], border: [] } });
  for (const { fault, games, removed, successRows, deadLetters, allEndedMs } of endings) {
    table.push([fault, games, removed, successRows, deadLetters, `${(allEndedMs / 1_000).toFixed(1)} s`]);
  }
  return table.toString();
}
