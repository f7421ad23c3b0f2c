import { html } from 'ghtml';
import type { ScheduleStatus } from '../../../retention/ports.js';
import type { RetentionSummary } from '../../../retention/retention-service.js';
import type { QueueCounts } from '../http-ports.js';
import type { AdminFacts } from './load-dashboard.js';
import { timeOf } from './time.js';
import { cell, numberOf, relative, spanOf, utc } from './format.js';

interface Tile {
  readonly name: string;
  readonly value: string;
  readonly note: string;
  readonly at?: Date;
  readonly tone?: 'quiet' | 'warn';
}

/** A sweep that waits for its worker for so long is worth a look. */
const LATE_MS = 60_000;

/** The numbers that tell whether all goes as it should. */
export function tiles({ summary, jobs, schedule }: AdminFacts, now: Date): string {
  const records = 'value' in summary ? recordTiles(summary.value) : [notRead('Records', summary.missing)];
  const queue = 'value' in jobs ? queueTiles(jobs.value) : [notRead('Jobs', jobs.missing)];
  const sweeps = 'value' in schedule ? sweepTiles(schedule.value, now) : [notRead('Sweeps', schedule.missing)];
  return html`!${group('runtimes', 'Runtimes', records)}
    <div class="pair">!${group('cleanups', 'Cleanups', queue)} !${group('sweeps', 'Retention sweeps', sweeps)}</div>`;
}

const group = (id: string, title: string, members: readonly Tile[]): string =>
  html`<section aria-labelledby="${id}">
    <h2 id="${id}">${title}</h2>
    <dl class="tiles">!${members.map(tile)}</dl>
  </section>`;

const tile = ({ name, value, note, at, tone = 'quiet' }: Tile): string =>
  html`<div class="tile ${tone} ${/\d \S|^\D/.test(value) ? 'words' : 'number'}">
    <dt>${name}</dt>
    <dd>
      <b>${value}</b><small>${note}</small>!${at === undefined ? '' : html`<small>!${timeOf(at, utc(at))}</small>`}
    </dd>
  </div>`;

function queueTiles({ waiting, active, delayed }: QueueCounts): readonly Tile[] {
  return [
    { name: 'Waiting', value: numberOf(waiting), note: 'for a worker' },
    { name: 'Active', value: numberOf(active), note: 'at work' },
    { name: 'Delayed', value: numberOf(delayed), note: 'to be tried again' },
  ];
}

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
  const sweeps: Tile[] = [lastTile(last, now), nextTile(everyMs, next, now)];
  const lastEndedMs = last === null ? -Infinity : Date.parse(last.finishedAt);
  if (lastFailure !== null && lastFailure.at.getTime() > lastEndedMs) {
    const note = `${relative(lastFailure.at, now)}: ${cell(lastFailure.reason, 200)}`;
    sweeps.push({ name: 'Failed sweep', value: 'failed', note, tone: 'warn' });
  }
  return sweeps;
}

function nextTile(everyMs: number | null, next: Date | null, now: Date): Tile {
  const name = 'Next sweep';
  if (everyMs === null || next === null) {
    return { name, value: 'none', note: 'there is no schedule; a worker makes one', tone: 'warn' };
  }
  const note = `every ${spanOf(everyMs)}`;
  const lateMs = now.getTime() - next.getTime();
  return lateMs < LATE_MS
    ? { name, value: relative(next, now), note, at: next }
    : { name, value: `${spanOf(lateMs)} late`, note, at: next, tone: 'warn' };
}

function lastTile(last: ScheduleStatus['last'], now: Date): Tile {
  if (last === null) return { name: 'Last sweep', value: 'none', note: 'none has finished yet', tone: 'warn' };
  if (last.status === 'refused') {
    return { name: 'Last sweep', value: 'refused', note: cell(last.reason, 400), tone: 'warn' };
  }
  const finishedAt = new Date(last.finishedAt);
  const note = `${numberOf(last.planned)} due, ${numberOf(last.enqueued)} newly asked for`;
  return { name: 'Last sweep', value: relative(finishedAt, now), note, at: finishedAt };
}
