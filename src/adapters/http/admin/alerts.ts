import type { AdminFacts } from './load-dashboard.js';
import { cell, numberOf } from './format.js';

/** Something for somebody to do. `broken`: the service cannot do all of its work; `waiting`: it does, but something waits. */
export interface Concern {
  readonly level: 'broken' | 'waiting';
  readonly about: string;
  readonly detail: string;
}

/** What the page says first, worst first. */
export function concernsOf({ checks, summary, codes }: AdminFacts): readonly Concern[] {
  const concerns: Concern[] = checks
    .filter(({ ok }) => !ok)
    .map(({ name, detail }) => ({ level: 'broken', about: cell(name, 40), detail: cell(detail, 600) }));
  const isSaid = concerns.some(({ about }) => about === 'retention');
  if ('value' in summary && summary.value.refusal !== null && !isSaid) {
    concerns.push({ level: 'waiting', about: 'next sweep', detail: cell(summary.value.refusal, 600) });
  }
  const counts = 'value' in codes ? Object.values(codes.value) : [];
  const letters = counts.reduce((sum, count) => sum + count, 0);
  if (letters > 0) {
    const detail = `${numberOf(letters)} ${letters === 1 ? 'waits' : 'wait'} to be mended and retried, or purged`;
    concerns.push({ level: 'waiting', about: letters === 1 ? 'dead letter' : 'dead letters', detail });
  }
  return concerns;
}
