/** What the answers of one engine are worth: collects the facts for `decideGone`, from the engine and from the database. */
import type { EngineEvidence, ContainerEngine, GoneBelief, Subject } from '../cleanup/ports.js';
import { mapConcurrent } from '../async/map-concurrent.js';
import { decideGone, type GoneFacts, isSameEngine } from './decide-gone.js';
import type { EngineWatch } from './engine-watch.js';
import type { ContainerLooks, MissingFacts } from './engine-ports.js';

interface Deps {
  readonly name: string;
  /** Asks over a new connection each time: one that was kept open may lead to an engine that has left the address. */
  readonly fresh: Pick<ContainerEngine, 'look'>;
  /** Closes the connections that cleanups keep open and do not use at this moment. */
  readonly reconnect: () => void;
  readonly watch: Pick<EngineWatch, 'check'>;
  readonly looks: ContainerLooks;
}

export function createEvidence({ name, fresh, reconnect, watch, looks }: Deps): EngineEvidence {
  /**
   * The identity is asked before and after a second look. The answer "gone" may have come from another engine that stood
   * at the address for a moment, and that engine may have left again before the first question.
   */
  async function judgeGone(
    { removalSent, ...subject }: Subject & { readonly removalSent: boolean },
    signal: AbortSignal,
  ): Promise<GoneBelief> {
    reconnect();
    const before = await watch.check();
    signal.throwIfAborted();
    // What another engine says must not be counted among the looks at this one.
    if (!isSameEngine(before.stored, before.answered)) return decideGone({ engine: name, ...before, ...NOTHING });
    const again = await fresh.look(subject.containerId, signal);
    if (again.kind === 'present') return { believed: false, why: cameBack(name) };
    const facts = await looks.foundGone({ ...subject, engine: name });
    const sent = removalSent ? 'now' : facts.removalSent ? 'earlier' : 'never';
    const isDecided = sent !== 'never' || facts.accepted;
    const others = isDecided ? 'never' : await othersSeen(facts, signal);
    const after = await watch.check();
    const { accepted, goneLooks } = facts;
    return decideGone({ engine: name, ...after, removalSent: sent, accepted, goneLooks, othersSeen: others });
  }

  /** Where records name other containers, one of them has to be there now; what was seen a moment ago is not enough. */
  async function othersSeen(
    { others, othersSeenRecently }: MissingFacts,
    signal: AbortSignal,
  ): Promise<GoneFacts['othersSeen']> {
    if (others.length === 0) return othersSeenRecently ? 'recently' : 'never';
    let isSeen = false;
    await mapConcurrent(others, others.length, async (containerId) => {
      const { kind } = await fresh.look(containerId, signal);
      if (kind === 'present') isSeen = true;
    });
    return isSeen ? 'now' : 'never';
  }

  return {
    foundPresent: (subject) => looks.foundPresent({ ...subject, engine: name }),
    removalIsNext: (subject) => looks.removalIsNext({ ...subject, engine: name }),
    judgeGone,
  };
}

const cameBack = (engine: string): string =>
  `the engine ${JSON.stringify(engine)} said that the container is gone, and a moment later that it is there`;

const NOTHING = { removalSent: 'never', accepted: false, goneLooks: 0, othersSeen: 'never' } as const;
