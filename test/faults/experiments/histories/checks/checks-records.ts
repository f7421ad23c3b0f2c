/** Each transition has its row, and the last sweep takes what is due and nothing else. */
import type { Audited } from '../../../laboratory/audit.js';
import type { Broken } from '../../../laboratory/checks.js';
import { brokenBy, isSuccessRow, isTransition } from '../../../laboratory/promises.js';
import type { History, Standing } from '../history.js';

export function checkRecords(history: History): readonly Broken[] {
  return [
    ...brokenBy('one row with each transition', unmatched(history)),
    ...brokenBy('only what is stopped becomes removed', leaps(history)),
    ...brokenBy('nothing due is forgotten', forgotten(history)),
    ...brokenBy('what is not due is kept', takenTooSoon(history)),
  ];
}

/** A transition's transaction holds exactly one success row of the same game, and no such row is written elsewhere. */
function unmatched({ notes }: History): readonly string[] {
  const keyOf = ({ txid, gameId }: Audited): string => `${gameId} in transaction ${txid}`;
  const changes = notes.filter(isTransition).map(keyOf);
  const rows = notes.filter(isSuccessRow).map(keyOf);
  const count = (list: readonly string[], key: string): number => list.filter((one) => one === key).length;
  return [...new Set([...changes, ...rows])]
    .filter((key) => count(changes, key) !== 1 || count(rows, key) !== 1)
    .map((key) => `${key}: ${count(changes, key)} transitions, ${count(rows, key)} success rows`);
}

/** A note without a status before is the record's beginning. */
const leaps = ({ notes }: History): readonly string[] =>
  notes
    .filter(
      ({ kind, was, became }) =>
        kind === 'record' && became === 'removed' && was !== null && was !== 'stopped' && was !== 'removed',
    )
    .map(({ gameId, was, txid }) => `${gameId} was ${String(was)} (transaction ${txid})`);

const hasDeadLetter = ({ jobsAtLast }: History, game: string): boolean =>
  jobsAtLast.some(({ gameId, state }) => gameId === game && state === 'failed');

const isWanted = (history: History, { gameId, isDue, isHeld }: Standing): boolean =>
  isDue && !isHeld && !hasDeadLetter(history, gameId);

const shown = (one: Standing | undefined): string =>
  one === undefined ? 'missing' : `${one.status}, ${one.containerId ?? 'no container'} ${one.container}`;

function forgotten(history: History): readonly string[] {
  return history.beforeSweep
    .filter((before) => isWanted(history, before))
    .map(({ gameId }) => history.afterSweep.find((after) => after.gameId === gameId) ?? gameId)
    .flatMap((after) => {
      if (typeof after === 'string') return [`${after} was due, and its record vanished`];
      return after.status === 'removed' ? [] : [`${after.gameId} was due and is ${shown(after)}`];
    });
}

function takenTooSoon(history: History): readonly string[] {
  return history.beforeSweep
    .filter((before) => !isWanted(history, before))
    .flatMap((before) => {
      const after = history.afterSweep.find(({ gameId }) => gameId === before.gameId);
      return shown(before) === shown(after) ? [] : [`${before.gameId} was ${shown(before)} and is ${shown(after)}`];
    });
}
