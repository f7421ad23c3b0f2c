/** What must be true after a worker was frozen and another holder had the game meanwhile. */
import type { RequestSeen } from '../../../support/engine/engine-fault-proxy.js';
import type { Audited } from '../../laboratory/audit.js';
import type { Broken } from '../../laboratory/checks.js';
import { type EngineEvent, unaskedEndings } from '../../laboratory/engine-ledger.js';
import type { Asked } from '../../laboratory/lifecycle.js';
import { brokenBy, checkRequests, isSuccessRow, isTransition, repeated } from '../../laboratory/promises.js';
import type { Seen } from '../../laboratory/step-control.js';
import type { Site } from '../../laboratory/site.js';

/** All that is known of one game. */
export interface Account {
  /** The workers' journal. */
  readonly steps: readonly Seen[];
  /** The database's account. */
  readonly notes: readonly Audited[];
  readonly events: readonly EngineEvent[];
  /** What the other service asked of the engine. */
  readonly asked: readonly Asked[];
  /** What the workers asked of the engine. */
  readonly requests: readonly RequestSeen[];
  readonly tokens: readonly string[];
}

/** What is judged by the account alone. */
export function checkAccount({ steps, notes, events, asked, requests, tokens }: Account): readonly Broken[] {
  const ended = unaskedEndings(events, asked).map(({ action, containerId, at }) => {
    const of = (one: { readonly containerId: string }): boolean => one.containerId === containerId;
    const requests = asked.filter(of).map((one) => `${one.what} ${one.at.toISOString()}`);
    const seen = events.filter(of).map((one) => `${one.action} ${one.at.toISOString()}`);
    return `${action} of ${containerId} at ${at.toISOString()}; asked: ${requests.join(', ')}; seen: ${seen.join(', ')}`;
  });
  return [
    ...brokenBy('no running container was ended', ended),
    ...checkRequests(requests),
    ...brokenBy('the newest fence wins', staleWrites(steps, notes)),
    ...brokenBy('no fence twice', repeated(fencesTaken(steps))),
    ...brokenBy('no token twice', repeated(tokens)),
    ...brokenBy('one row with each transition', rowlessTransitions(notes)),
  ];
}

/** Only who takes a stopped record raises the fence. */
const fencesTaken = (steps: readonly Seen[]): readonly string[] =>
  steps.flatMap(({ step, at, said, fence }) =>
    step === 'take runtime_records' && at === 'end' && said === 'stopped' && fence !== undefined ? [fence] : [],
  );

/**
 * The record's fence at the transition is the newest there is, for the row is locked. The writer must have taken the
 * record with that very fence.
 */
function staleWrites(steps: readonly Seen[], notes: readonly Audited[]): readonly string[] {
  const newest = notes.filter(isTransition).map(({ fence }) => fence ?? '');
  const taken = fencesTaken(steps);
  const written = steps.flatMap((seen, index) => {
    if (seen.step !== 'mark_removed runtime_records' || seen.said !== 'marked') return [];
    return [fencesTaken(steps.slice(0, index).filter(({ pid }) => pid === seen.pid)).at(-1) ?? 'none'];
  });
  return [
    ...newest
      .filter((fence) => !taken.includes(fence))
      .map((fence) => `removed under fence ${fence} of another service`),
    ...written.filter((fence) => !newest.includes(fence)).map((fence) => `removed by the holder of fence ${fence}`),
  ];
}

function rowlessTransitions(notes: readonly Audited[]): readonly string[] {
  const rows = notes.filter(isSuccessRow);
  const changes = notes.filter(isTransition).map(({ txid }) => txid);
  const logged = rows.map(({ txid }) => txid);
  return String(changes) === String(logged) ? [] : [`transitions ${String(changes)}, success rows ${String(logged)}`];
}

/** A person's job is completed by a removal; a refusal of the moment does not end it. */
export const checkWorkDone = (notes: readonly Audited[]): readonly Broken[] =>
  brokenBy('a completed job has done its work', notes.some(isTransition) ? [] : ['nothing was ever marked as removed']);

/**
 * A worker that was frozen for longer than its lease must neither renew nor release any lease until it acquires one anew.
 * @param steps those of the worker that was frozen
 */
export function checkLateTouch(steps: readonly Seen[], thawedNs: number): readonly Broken[] {
  const before = steps.filter(({ ns }) => ns < thawedNs);
  const late = steps.filter(({ ns }) => ns >= thawedNs);
  const anew = late.findIndex(({ step }) => step === 'lease acquire');
  const answers = (anew === -1 ? late : late.slice(0, anew)).filter(({ at }) => at === 'end');
  const renewed = answers.filter(({ step }) => step === 'lease renew').slice(renewalsOpen(before));
  const released = answers.filter(({ step }) => step === 'lease release');
  return brokenBy(
    'the lease stays with its holder',
    [...renewed, ...released].flatMap(({ step, said }) => (said === true ? [`${step ?? ''} of another's lease`] : [])),
  );
}

/** Asked and answered while there was a lease, but heard only after the thaw. */
const renewalsOpen = (steps: readonly Seen[]): number =>
  steps
    .filter(({ step }) => step === 'lease renew')
    .reduce((open, { at }) => (at === 'start' ? open + 1 : open - 1), 0);

/** What is judged by how all stands in the end. */
export async function checkEnding(
  site: Site,
  { gameId, jobId }: { readonly gameId: string; readonly jobId: string },
): Promise<readonly Broken[]> {
  const [state, holder, record, containers] = await Promise.all([
    site.jobs.state(jobId),
    site.leases.holder(gameId),
    recordOf(site, gameId),
    site.containers.docker.listContainers({ all: true, filters: { label: [`com.galaxy.game_id=${gameId}`] } }),
  ]);
  const there = containers.map(({ Id: id, State: state }) => `${id} ${state}`);
  const isTrue =
    record?.status === 'removed'
      ? there.length === 0
      : containers.length === 1 &&
        containers[0]?.Id === record?.containerId &&
        (containers[0]?.State === 'running') === (record?.status === 'running');
  return [
    ...brokenBy('the job is completed', state === 'completed' ? [] : [`it is ${state}`]),
    ...brokenBy('the lease is free', holder === undefined ? [] : [`it is held with ${holder}`]),
    ...brokenBy(
      'the record is true',
      isTrue
        ? []
        : [`${record?.status ?? 'missing'}, ${record?.containerId ?? 'no container'}; there is ${there.join(', ')}`],
    ),
  ];
}

export interface RecordSeen {
  readonly status: string;
  readonly containerId: string | null;
}

export async function recordOf({ db }: Site, gameId: string): Promise<RecordSeen | undefined> {
  const text = `SELECT status, current_container_id AS "containerId" FROM runtime_records WHERE game_id = $1`;
  return (await db.query<RecordSeen>(text, [gameId])).rows[0];
}
