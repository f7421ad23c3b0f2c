import { html } from 'ghtml';
import { describeIdentity } from '../../../engines/decide-gone.js';
import type { EngineRecord } from '../../../engines/engine-ports.js';
import type { ScheduleStatus } from '../../../retention/ports.js';
import type { RetentionSummary } from '../../../retention/retention-service.js';
import type { QueueCounts } from '../http-ports.js';
import { cell, durationText, numberOf, relative, timeElement, utc } from './format.js';
import type { Dashboard } from './load-dashboard.js';

interface Tile {
  readonly name: string;
  readonly value: string;
  readonly note: string;
  readonly at?: Date;
  readonly tone?: 'quiet' | 'warn';
}

/** A sweep that is later than this has a warning. */
const LATE_MS = 60_000;

/** The numbers of runtimes, jobs and sweeps. */
export function tiles({ summary, jobs, schedule, engines }: Dashboard, now: Date): string {
  const records = 'value' in summary ? recordTiles(summary.value) : [unavailable('Records', summary.unavailable)];
  const queue = 'value' in jobs ? queueTiles(jobs.value) : [unavailable('Jobs', jobs.unavailable)];
  const sweeps = 'value' in schedule ? sweepTiles(schedule.value, now) : [unavailable('Sweeps', schedule.unavailable)];
  const known =
    'value' in engines
      ? engines.value.map((engine) => engineTile(engine, now))
      : [unavailable('Engines', engines.unavailable)];
  return html`!${group('runtimes', 'Runtimes', records)}
    <div class="pair">!${group('cleanups', 'Cleanups', queue)} !${group('sweeps', 'Retention sweeps', sweeps)}</div>
    !${known.length === 0 ? '' : group('engines', 'Engines', known)}`;
}

const group = (id: string, title: string, members: readonly Tile[]): string =>
  html`<section aria-labelledby="${id}">
    <h2 id="${id}">${title}</h2>
    <dl class="tiles">!${members.map(tile)}</dl>
  </section>`;

const tile = ({ name, value, note, at, tone = 'quiet' }: Tile): string =>
  html`<div class="tile ${tone} ${/\d \S|^\D/.test(value) ? 'text' : 'number'}">
    <dt>${name}</dt>
    <dd>
      <b>${value}</b><small>${note}</small>!${at === undefined ? '' : html`<small>!${timeElement(at, utc(at))}</small>`}
    </dd>
  </div>`;

function queueTiles({ waiting, active, delayed }: QueueCounts): readonly Tile[] {
  return [
    { name: 'Waiting', value: numberOf(waiting), note: 'for a worker' },
    { name: 'Active', value: numberOf(active), note: 'running now' },
    { name: 'Delayed', value: numberOf(delayed), note: 'until their next attempt' },
  ];
}

/** The check `engines` has the whole text, with the command. */
function engineTile({ name, identity, observed, missing, lastSeenAt }: EngineRecord, now: Date): Tile {
  const accept = `check it, then: runtime-cleanup engines accept ${name}`;
  const shown = { name: cell(name, 40), at: lastSeenAt };
  if (observed !== null) return { ...shown, value: 'another engine answers', note: cell(accept), tone: 'warn' };
  if (missing > 0) return { ...shown, value: `${numberOf(missing)} missing`, note: cell(accept), tone: 'warn' };
  return { ...shown, value: `seen ${relative(lastSeenAt, now)}`, note: cell(describeIdentity(identity)) };
}

const unavailable = (name: string, why: string): Tile => ({
  name,
  value: '?',
  note: `not available: ${cell(why, 200)}`,
  tone: 'warn',
});

function recordTiles(found: RetentionSummary): readonly Tile[] {
  const { running, stopped, removed, due, held, deadLetters, lagMs, retentionMs } = found;
  return [
    { name: 'Running', value: numberOf(running), note: 'not touched' },
    { name: 'Stopped', value: numberOf(stopped), note: `kept for ${durationText(retentionMs)}` },
    { name: 'Removed', value: numberOf(removed), note: 'containers removed' },
    {
      name: 'Due now',
      value: numberOf(due),
      note: due === 0 ? 'nothing is due' : `the oldest for ${durationText(lagMs)}`,
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
    return { name, value: 'none', note: 'there is no schedule; a running worker creates one', tone: 'warn' };
  }
  const note = `every ${durationText(everyMs)}`;
  const lateMs = now.getTime() - next.getTime();
  return lateMs < LATE_MS
    ? { name, value: relative(next, now), note, at: next }
    : { name, value: `${durationText(lateMs)} late`, note, at: next, tone: 'warn' };
}

function lastTile(last: ScheduleStatus['last'], now: Date): Tile {
  if (last === null) return { name: 'Last sweep', value: 'none', note: 'no sweep has finished yet', tone: 'warn' };
  if (last.status === 'refused') {
    return { name: 'Last sweep', value: 'refused', note: cell(last.reason, 400), tone: 'warn' };
  }
  const finishedAt = new Date(last.finishedAt);
  const note = `${numberOf(last.planned)} due, ${numberOf(last.enqueued)} enqueued`;
  return { name: 'Last sweep', value: relative(finishedAt, now), note, at: finishedAt };
}
