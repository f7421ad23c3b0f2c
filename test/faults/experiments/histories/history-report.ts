/** A history, whole and in order, as a person reads it. */
import type { Seen } from '../../laboratory/step-control.js';
import type { History } from './history.js';
import { shownSchedule } from './schedule.js';

interface Line {
  readonly atMs: number;
  readonly said: string;
}

export function reportHistory(history: History): readonly string[] {
  const { schedule, startedAt, jobsAtLast, jobsSettled, strangers, beforeSweep, afterSweep, games } = history;
  const lines = [...playedLines(history), ...workerLines(history), ...databaseLines(history), ...engineLines(history)];
  lines.sort((a, b) => a.atMs - b.atMs);
  return [
    ...shownSchedule(schedule),
    `it began at ${startedAt.toISOString()}`,
    ...games.map(({ gameId, situation, containerId }) => `${gameId}: ${situation}, ${containerId ?? 'no container'}`),
    ...lines.map(({ atMs, said }) => `${atMs.toFixed(1).padStart(9)} ms ${said}`),
    ...jobsSettled.map(
      ({ id, gameId, state, failedReason }) => `settled: job ${id} of ${gameId} ${state} ${failedReason}`,
    ),
    ...jobsAtLast.map(
      ({ id, gameId, state, failedReason }) => `at last: job ${id} of ${gameId} ${state} ${failedReason}`,
    ),
    ...beforeSweep.map((one) => `before the last sweep: ${JSON.stringify(one)}`),
    ...afterSweep.map((one) => `after it: ${JSON.stringify(one)}`),
    ...strangers.map(({ what, containerId, was, is }) => `${what}, ${containerId}: ${was}, ${is}`),
  ];
}

const playedLines = ({ played }: History): readonly Line[] =>
  played.map(({ fromMs, toMs, what, answer }) => ({
    atMs: fromMs,
    said: `${what} -> ${answer} (${toMs - fromMs} ms)`,
  }));

const workerLines = ({ steps, startedNs, frozen }: History): readonly Line[] => {
  const since = (ns: number): number => (ns - startedNs) / 1e6;
  return [
    ...steps.map((seen) => ({ atMs: since(seen.ns), said: `worker ${seen.pid}: ${shownStep(seen)}` })),
    ...frozen.flatMap(({ pid, fromNs, toNs }) => [
      { atMs: since(fromNs), said: `worker ${pid} is frozen` },
      { atMs: since(toNs), said: `worker ${pid} goes on` },
    ]),
  ];
};

function shownStep({ step, at, said, fence, order, signal, facts = {} }: Seen): string {
  if (order !== undefined) return `${signal ?? '?'} by order ${order}`;
  const about = ['rtmanager.game_id', 'container.id', 'job.id'].flatMap((name) => {
    const fact = facts[name];
    return typeof fact === 'string' ? [fact] : [];
  });
  return [`${step ?? '?'} ${at ?? '?'}`, ...about, said ?? '', fence === undefined ? '' : `fence ${fence}`]
    .filter((part) => part !== '')
    .join(', ');
}

const databaseLines = ({ notes, startedAt }: History): readonly Line[] =>
  notes.map(({ at, kind, gameId, was, became, containerId, jobId, fence, txid }) => ({
    atMs: at.getTime() - startedAt.getTime(),
    said: `database: ${gameId} ${kind} ${was ?? '-'} -> ${became ?? '-'}, container ${containerId ?? '-'}, job ${jobId ?? '-'}, fence ${fence ?? '-'}, transaction ${txid}`,
  }));

const engineLines = ({ events, requests, startedAt, games, strangers }: History): readonly Line[] => {
  const mine = new Set(games.map(({ gameId }) => gameId));
  const strange = new Set(strangers.map(({ containerId }) => containerId));
  return [
    ...events
      .filter(({ gameId, containerId }) => mine.has(gameId) || strange.has(containerId))
      .map(({ at, action, containerId, gameId }) => ({
        atMs: at.getTime() - startedAt.getTime(),
        said: `engine: ${action} of ${containerId} (${gameId})`,
      })),
    // The proxy keeps no times; only their order is shown.
    ...requests.map(({ method, url, fault, engineStatus }, index) => ({
      atMs: Number.MAX_SAFE_INTEGER,
      said: `${index + 1}. request to the engine: ${method} ${url} -> ${engineStatus ?? 'nothing'}${fault === null ? '' : `, ${fault}`}`,
    })),
  ];
};
