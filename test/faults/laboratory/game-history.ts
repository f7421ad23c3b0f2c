/** What happened, in order, as a person reads it. */
import type { Seen } from './step-control.js';
import type { Site } from './site.js';

/** The story of one game: steps of the workers, changes in the database. */
export async function historyOf(site: Site, gameId: string, containerId: string): Promise<readonly string[]> {
  const steps = site.stepControl.seen();
  const firstNs = steps[0]?.ns ?? 0;
  const begunNs = steps.find((seen) => isAbout(seen, [gameId, containerId]))?.ns ?? Number.POSITIVE_INFINITY;
  const mine = steps.filter(
    (seen) => (seen.order !== undefined && seen.ns > begunNs) || isAbout(seen, [gameId, containerId]),
  );
  const notes = await site.audit.notes(gameId);
  return [
    ...mine.map((seen) => `${shownMs(seen.ns - firstNs)} worker ${seen.pid}: ${shown(seen)}`),
    ...notes.map(
      ({ at, kind, was, became, fence, txid }) =>
        `${at.toISOString()} database: ${kind} ${was ?? '-'} -> ${became ?? '-'}, fence ${fence ?? '-'}, transaction ${txid}`,
    ),
  ];
}

export const isAbout = ({ facts = {} }: Seen, names: readonly string[]): boolean => {
  const said = JSON.stringify(facts);
  return names.some((name) => said.includes(JSON.stringify(name)));
};

const shownMs = (ns: number): string => `${(ns / 1e6).toFixed(1).padStart(10)} ms`;

const shown = ({ step, at, said, fence, order, signal }: Seen): string =>
  order !== undefined
    ? `${signal ?? '?'} by order ${order}`
    : `${step ?? '?'} ${at ?? '?'}${said === undefined ? '' : `: ${said}`}${fence === undefined ? '' : `, fence ${fence}`}`;
