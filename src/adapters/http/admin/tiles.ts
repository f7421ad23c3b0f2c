import { html } from 'ghtml';
import type { ScheduleStatus } from '../../../retention/ports.js';
import type { RetentionSummary } from '../../../retention/retention.js';
import type { AdminFacts } from './facts.js';
import { cell, numberOf, relative, spanOf, utc } from './words.js';

interface Tile {
  readonly name: string;
  readonly value: string;
  readonly note: string;
  readonly tone?: 'quiet' | 'warn';
}

/** The numbers that tell whether all goes as it should. */
export function tiles({ summary, schedule }: AdminFacts, now: Date): string {
  const records = 'value' in summary ? recordTiles(summary.value) : [notRead('Records', summary.missing)];
  const sweeps = 'value' in schedule ? sweepTiles(schedule.value, now) : [notRead('Sweeps', schedule.missing)];
  return html`<section aria-labelledby="records">
      <h2 id="records">Runtimes</h2>
      <dl class="tiles">!${records.map(tile)}</dl>
    </section>
    <section aria-labelledby="retention">
      <h2 id="retention">Retention</h2>
      <dl class="tiles">!${sweeps.map(tile)}</dl>
    </section>`;
}

const tile = ({ name, value, note, tone = 'quiet' }: Tile): string =>
  html`<div class="tile ${tone}">
    <dt>${name}</dt>
    <dd><b>${value}</b><small>${note}</small></dd>
  </div>`;

const notRead = (name: string, why: string): Tile => ({
  name,
  value: '?',
  note: `not available: ${cell(why, 200)}`,
  tone: 'warn',
});

function recordTiles(found: RetentionSummary): readonly Tile[] {
  const { running, stopped, removed, due, held, deadLetters, lagMs, retentionMs } = found;
  return [
    { name: 'Running', value: numberOf(running), note: 'left alone' },
    { name: 'Stopped', value: numberOf(stopped), note: `kept for ${spanOf(retentionMs)}` },
    { name: 'Removed', value: numberOf(removed), note: 'containers gone' },
    {
      name: 'Due now',
      value: numberOf(due),
      note: due === 0 ? 'nothing waits' : `the oldest for ${spanOf(lagMs)}`,
      tone: found.refusal === null ? 'quiet' : 'warn',
    },
    { name: 'Kept though due', value: numberOf(held + deadLetters), note: `${held} held, ${deadLetters} dead letters` },
  ];
}

function sweepTiles({ everyMs, next, last, lastFailure }: ScheduleStatus, now: Date): readonly Tile[] {
  const sweeps: Tile[] = [lastTile(last, now)];
  sweeps.push(
    everyMs === null || next === null
      ? { name: 'Next sweep', value: 'none', note: 'there is no schedule; a worker makes one', tone: 'warn' }
      : { name: 'Next sweep', value: relative(next, now), note: `every ${spanOf(everyMs)}; ${utc(next)}` },
  );
  const lastEndedMs = last === null ? -Infinity : Date.parse(last.finishedAt);
  if (lastFailure !== null && lastFailure.at.getTime() > lastEndedMs) {
    const note = `${relative(lastFailure.at, now)}: ${cell(lastFailure.reason, 200)}`;
    sweeps.push({ name: 'Failed sweep', value: 'failed', note, tone: 'warn' });
  }
  return sweeps;
}

function lastTile(last: ScheduleStatus['last'], now: Date): Tile {
  if (last === null) return { name: 'Last sweep', value: 'none', note: 'none has finished yet', tone: 'warn' };
  if (last.status === 'refused') {
    return { name: 'Last sweep', value: 'refused', note: cell(last.reason, 400), tone: 'warn' };
  }
  const finishedAt = new Date(last.finishedAt);
  const note = `${numberOf(last.planned)} due, ${numberOf(last.enqueued)} newly asked for; ${utc(finishedAt)}`;
  return { name: 'Last sweep', value: relative(finishedAt, now), note };
}
