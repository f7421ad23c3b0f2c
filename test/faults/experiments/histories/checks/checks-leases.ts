/**
 * Never two inside. What counts: a worker is inside where it begins a step that cannot be undone, the removal or the
 * change of the record. The journal's line of that beginning is written right behind the last check of the lease. By
 * then no holder may have got the game's lease that asked for it after this worker got it. What a worker that is
 * frozen behind that line still does is not promised, and not counted; its write is refused by the fence, and that is.
 */
import type { Broken } from '../../../laboratory/checks.js';
import { brokenBy, isTransition, repeated } from '../../../laboratory/promises.js';
import type { Seen } from '../../../laboratory/step-control.js';
import type { History } from '../history.js';

const REMOVAL = 'container remove';
const CHANGE = 'mark_removed runtime_records';
const TAKE = 'take runtime_records';
const GAME = 'rtmanager.game_id';

export function checkLeases(history: History): readonly Broken[] {
  const steps = history.steps.toSorted((a, b) => a.ns - b.ns);
  return [
    ...brokenBy('one holder at a time', intrusions(history, steps)),
    ...brokenBy('no fence twice', repeatedFences(history, steps)),
    ...brokenBy('the newest fence wins', staleWrites(history, steps)),
    ...brokenBy('no token twice', repeatedTokens(history)),
  ];
}

interface Grant {
  readonly gameId: string;
  /** A worker's, or the other service. */
  readonly holder: number | 'service';
  readonly askedNs: number;
  readonly grantedNs: number;
}

function grantsOf({ tenures }: History, steps: readonly Seen[]): readonly Grant[] {
  const byWorkers = steps.flatMap((seen, index): readonly Grant[] => {
    if (seen.step !== 'lease acquire' || seen.at !== 'end' || seen.said !== true) return [];
    const gameId = gameOf(seen);
    const asked = steps
      .slice(0, index)
      .findLast(
        (one) => one.step === seen.step && one.at === 'start' && one.pid === seen.pid && gameOf(one) === gameId,
      );
    return [{ gameId, holder: seen.pid, askedNs: asked?.ns ?? seen.ns, grantedNs: seen.ns }];
  });
  const byService = tenures.map(({ gameId, askedNs, fromNs }): Grant => ({
    gameId,
    holder: 'service',
    askedNs,
    grantedNs: fromNs,
  }));
  return [...byWorkers, ...byService];
}

const gameOf = ({ facts }: Seen): string => {
  const gameId = facts?.[GAME];
  return typeof gameId === 'string' ? gameId : '';
};

/** The game whose record named the container. */
const gameOfContainer = ({ notes }: History, containerId: unknown): string =>
  notes.find((note) => note.kind === 'record' && note.containerId === containerId)?.gameId ?? '';

function intrusions(history: History, steps: readonly Seen[]): readonly string[] {
  const mine = new Set(history.games.map(({ gameId }) => gameId));
  const grants = grantsOf(history, steps);
  return steps.flatMap((seen) => {
    if (seen.at !== 'start' || (seen.step !== REMOVAL && seen.step !== CHANGE)) return [];
    const gameId = seen.step === CHANGE ? gameOf(seen) : gameOfContainer(history, seen.facts?.['container.id']);
    if (!mine.has(gameId)) return [];
    const said = `${gameId}: worker ${seen.pid} began "${seen.step}" at ${shownMs(history, seen.ns)}`;
    const before = grants.filter((grant) => grant.gameId === gameId && grant.grantedNs <= seen.ns);
    const own = before.findLast(({ holder }) => holder === seen.pid);
    if (own === undefined) return [`${said} and never had the lease`];
    const others = before.filter(({ holder, askedNs }) => holder !== seen.pid && askedNs > own.grantedNs);
    return others.map(
      ({ holder, grantedNs }) =>
        `${said}; it had the lease since ${shownMs(history, own.grantedNs)}, ${holder === 'service' ? 'the other service' : `worker ${holder}`} got it at ${shownMs(history, grantedNs)}`,
    );
  });
}

const shownMs = ({ startedNs }: History, ns: number): string => `${((ns - startedNs) / 1e6).toFixed(1)} ms`;

/** Taking a stopped record increments its fence. */
const takesOf = (steps: readonly Seen[], gameId: string): readonly Seen[] =>
  steps.filter((seen) => seen.step === TAKE && seen.at === 'end' && seen.said === 'stopped' && gameOf(seen) === gameId);

function repeatedFences({ games, notes }: History, steps: readonly Seen[]): readonly string[] {
  return games.flatMap(({ gameId }) => {
    const fences = takesOf(steps, gameId).map(({ fence }) => fence);
    const kept = notes.flatMap((note) =>
      note.kind === 'record' && note.gameId === gameId && note.fence !== null ? [BigInt(note.fence)] : [],
    );
    return [
      ...fences
        .filter((fence, index) => fences.indexOf(fence) !== index)
        .map((fence) => `${gameId}: fence ${String(fence)} was taken twice`),
      ...kept
        .filter((fence, index) => fence < (kept[index - 1] ?? 0n))
        .map((fence) => `${gameId}: the fence fell to ${fence}`),
    ];
  });
}

/**
 * The record's fence at its transition is the newest there is, for its row is locked. The writer must have taken the
 * record with that very fence.
 */
function staleWrites({ games, notes }: History, steps: readonly Seen[]): readonly string[] {
  return games.flatMap(({ gameId }) => {
    const takes = takesOf(steps, gameId);
    const taken = new Set(takes.map(({ fence }) => fence));
    const changed = notes.filter((note) => note.gameId === gameId && isTransition(note));
    const marks = steps.filter((seen) => seen.step === CHANGE && seen.said === 'marked' && gameOf(seen) === gameId);
    return [
      ...changed
        .filter(({ fence }) => !taken.has(fence ?? undefined))
        .map(({ fence }) => `${gameId}: removed under fence ${String(fence)}, which no worker had taken`),
      ...marks
        .map((mark) => ({ mark, own: takes.findLast(({ pid, ns }) => pid === mark.pid && ns < mark.ns) }))
        .filter(({ mark, own }) => mark.fence !== own?.fence)
        .map(
          ({ mark, own }) =>
            `${gameId}: worker ${mark.pid} took fence ${own?.fence ?? 'none'} and removed under ${mark.fence ?? 'none'}`,
        ),
    ];
  });
}

/** As the database has them; Redis keeps no such account. */
function repeatedTokens({ notes }: History): readonly string[] {
  const tokens = notes.flatMap(({ kind, was }) => (kind === 'lease' && was !== null ? [was] : []));
  return repeated(tokens).map((token) => `token ${token}`);
}
