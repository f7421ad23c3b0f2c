/** No running container is ended, no stranger is touched, and what is `removed` is gone. */
import type { Broken } from '../../../laboratory/checks.js';
import { unaskedEndings } from '../../../laboratory/engine-ledger.js';
import { brokenBy, checkRequests, fullIdIn, isTransition } from '../../../laboratory/promises.js';
import type { History } from '../history.js';

// Podman's word beside Docker's.
const REMOVALS: ReadonlySet<string> = new Set(['destroy', 'remove']);
/** The engine may say that a container is gone a moment before it tells of it. */
const TOLD_WITHIN_MS = 100;

export function checkContainers(history: History): readonly Broken[] {
  return [
    ...brokenBy('no running container was ended', endings(history)),
    ...brokenBy('no stranger was touched', touched(history)),
    ...checkRequests(history.requests),
    ...brokenBy('removed means gone', notGone(history)),
  ];
}

const endings = ({ events, asked, games }: History): readonly string[] => {
  const mine = new Set(games.map(({ gameId }) => gameId));
  const ofGames = events.filter(({ gameId }) => mine.has(gameId));
  return unaskedEndings(ofGames, asked).map(
    ({ action, containerId, gameId, at }) => `${gameId}: ${action} of ${containerId} at ${at.toISOString()}`,
  );
};

/** Foreign containers are unchanged, and no removal was requested for a container that no record of a game named. */
function touched({ strangers, requests, notes }: History): readonly string[] {
  const named = new Set(notes.flatMap(({ kind, containerId }) => (kind === 'record' ? (containerId ?? []) : [])));
  const strange = new Set(strangers.map(({ containerId }) => containerId));
  const changed = strangers.filter(({ was, is }) => was !== is);
  const asked = requests.filter((request) => {
    const id = fullIdIn(request);
    return request.method === 'DELETE' && (id === undefined || !named.has(id) || strange.has(id));
  });
  return [
    ...changed.map(({ what, containerId, was, is }) => `${what} (${containerId}) was ${was} and is ${is}`),
    ...asked.map(({ method, url }) => `${method} ${url}`),
  ];
}

/** At the moment of the transition, and in the end. */
function notGone({ notes, events, afterSweep }: History): readonly string[] {
  const known = new Set(events.map(({ containerId }) => containerId));
  const early = notes.filter(({ containerId, at, ...note }) => {
    if (!isTransition(note) || containerId === null || !known.has(containerId)) return false;
    return !events.some(
      (event) =>
        event.containerId === containerId &&
        REMOVALS.has(event.action) &&
        event.at.getTime() <= at.getTime() + TOLD_WITHIN_MS,
    );
  });
  const still = afterSweep.filter(
    ({ status, container }) => status === 'removed' && container !== 'missing' && container !== 'none',
  );
  return [
    ...early.map(
      ({ gameId, containerId, at }) =>
        `${gameId}: removed at ${at.toISOString()}, and ${String(containerId)} was there still`,
    ),
    ...still.map(
      ({ gameId, containerId, container }) => `${gameId}: removed, and ${String(containerId)} is ${container}`,
    ),
  ];
}
