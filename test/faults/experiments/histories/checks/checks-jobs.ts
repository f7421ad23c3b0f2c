/** Every job that was accepted ends, and ends as what it must be. */
import type { Broken } from '../../../laboratory/checks.js';
import type { SeenJob } from '../../../laboratory/jobs.js';
import { brokenBy, isSuccessRow, isTransition } from '../../../laboratory/promises.js';
import type { Game, History } from '../history.js';
import { metRivalsOnly } from './rivals.js';

const REASON = /^([a-z_]+): \S/;

export function checkJobs(history: History): readonly Broken[] {
  const { settled, jobsSettled, jobsAtLast } = history;
  return [
    ...brokenBy('the world settles', settled ? [] : ['jobs were not over in time, though everything was well again']),
    ...brokenBy('every job ends', notEnded(history)),
    ...brokenBy('a dead letter has its cause', [
      ...jobsSettled.flatMap((job) => causeless(history, job, isFoundedConflict)),
      // By now everything is stopped, and no lease is held.
      ...jobsAtLast.flatMap((job) => causeless(history, job, () => false)),
    ]),
    ...brokenBy(
      'a completed job did what it says',
      jobsAtLast.flatMap((job) => unfounded(history, job)),
    ),
  ];
}

/** Not lost, not stuck; gone only if a purge took it. */
function notEnded({ accepted, purged, jobsAtLast }: History): readonly string[] {
  const lost = accepted.filter(({ jobId }) => !jobsAtLast.some(({ id }) => id === jobId));
  return [
    ...lost.map(({ jobId, gameId }) => `job ${jobId} of ${gameId} was not looked for`),
    ...jobsAtLast
      .filter(({ id, state }) => state !== 'completed' && state !== 'failed' && !purged.includes(id))
      .map(({ id, gameId, state }) => `job ${id} of ${gameId} is ${state}`),
  ];
}

type MayConflict = (history: History, game: Game, job: SeenJob) => boolean;

const DISTURBING: ReadonlySet<string> = new Set(['start', 'restart', 'recreate', 'rude start', 'occupy']);

const LEASE_IS_HELD = /^conflict: another operation holds the lease /;

const isFoundedConflict: MayConflict = (history, game, job) =>
  isDisturbed(history, game) || (LEASE_IS_HELD.test(job.failedReason) && metRivalsOnly(history, job));

/** Whether the game ran at some time, or another holder had its lease. */
const isDisturbed = ({ schedule, games }: History, game: Game): boolean =>
  game.situation === 'running' ||
  schedule.steps.some(
    ({ act }) =>
      'game' in act && games[act.game] === game && DISTURBING.has(act.kind === 'service' ? act.what : act.kind),
  );

function causeless(history: History, job: SeenJob, mayConflict: MayConflict): readonly string[] {
  if (job.state !== 'failed') return [];
  const code = REASON.exec(job.failedReason)?.[1];
  const game = history.games.find(({ gameId }) => gameId === job.gameId);
  if (game !== undefined && code !== undefined && mayBury(history, game, job, code, mayConflict)) return [];
  return [`job ${job.id} of ${job.gameId} failed: ${JSON.stringify(job.failedReason)}`];
}

/** Outages and bugs make no dead letters here: the faults are short, and nothing unexpected happens. */
function mayBury(history: History, game: Game, job: SeenJob, code: string, mayConflict: MayConflict): boolean {
  const asked = history.accepted.find(({ jobId }) => jobId === job.id);
  switch (code) {
    case 'container_mismatch':
      return game.situation === 'foreign' || game.situation === 'short id' || asked?.expectedContainerId !== undefined;
    case 'not_found':
      return game.situation === 'no record';
    case 'invalid_request':
      return asked?.isNonsense === true;
    case 'conflict':
      return mayConflict(history, game, job);
    default:
      return false;
  }
}

const PERSONS: ReadonlySet<string> = new Set(['admin_rest', 'operator_cli']);

/**
 * Whether a caller was told that this job does what was requested. A person's request takes the job of a sweep over, or
 * gets its own, though the sweep's may bear the person's name by then; another request may join it.
 */
const isPromised = ({ accepted }: History, id: string): boolean =>
  accepted.some(
    ({ jobId, source, isJoined }) => jobId === id && source !== 'auto_ttl' && (!isJoined || PERSONS.has(source)),
  );

/** A success has its row, a replay a removal before it; only what a sweep asked for is completed by a refusal. */
function unfounded(history: History, { id, gameId, state, opSource, result }: SeenJob): readonly string[] {
  if (state !== 'completed') return [];
  const { notes, games } = history;
  const said = JSON.stringify(result);
  const code = typeof result === 'object' && result !== null && 'errorCode' in result ? result.errorCode : undefined;
  const isTrue = (): boolean => {
    switch (code) {
      case '':
        return notes.some((note) => isSuccessRow(note) && note.jobId === id && note.gameId === gameId);
      case 'replay_no_op':
        return (
          games.some((game) => game.gameId === gameId && game.situation === 'removed') ||
          notes.some((note) => isTransition(note) && note.gameId === gameId)
        );
      case 'conflict':
      case 'not_found':
        return !isPromised(history, id);
      default:
        return false;
    }
  };
  return isTrue() ? [] : [`job ${id} of ${gameId}, asked by ${opSource}, came to ${said}`];
}
