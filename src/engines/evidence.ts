/** What the answers of one engine are worth: collects the facts for `decideGone`, from the engine and from the database. */
import type { EngineEvidence, ContainerEngine, GoneBelief, Subject } from '../cleanup/ports.js';
import { mapConcurrent } from '../async/map-concurrent.js';
import { decideGone, type GoneFacts, isSameEngine } from './decide-gone.js';
import type { EngineWatch } from './engine-watch.js';
import type { ContainerLooks, MissingFacts } from './ports.js';

interface Deps {
  readonly name: string;
  readonly engine: Pick<ContainerEngine, 'look'>;
  readonly watch: Pick<EngineWatch, 'check'>;
  readonly looks: ContainerLooks;
}

export function createEvidence({ name, engine, watch, looks }: Deps): EngineEvidence {
  async function judgeGone(
    { removalSent, ...subject }: Subject & { readonly removalSent: boolean },
    signal: AbortSignal,
  ): Promise<GoneBelief> {
    // Asked after the look: an engine that was replaced before the look answers this question, too.
    const { stored, answered } = await watch.check();
    signal.throwIfAborted();
    const known = { engine: name, stored, answered };
    // What another engine says must not be counted among the looks at this one.
    if (!isSameEngine(stored, answered)) return decideGone({ ...known, ...NOTHING });
    const facts = await looks.foundGone({ ...subject, engine: name });
    const undecided: GoneFacts = {
      ...known,
      removalSent: removalSent ? 'now' : facts.removalSent ? 'earlier' : 'never',
      accepted: facts.accepted,
      goneLooks: facts.goneLooks,
      othersSeen: 'never',
    };
    const verdict = decideGone(undecided);
    if (verdict.believed) return verdict;
    return decideGone({ ...undecided, othersSeen: await othersSeen(facts, signal) });
  }

  /** Where records name other containers, one of them has to be there now; what was seen a moment ago is not enough. */
  async function othersSeen(
    { others, othersSeenRecently }: MissingFacts,
    signal: AbortSignal,
  ): Promise<GoneFacts['othersSeen']> {
    if (others.length === 0) return othersSeenRecently ? 'recently' : 'never';
    let isSeen = false;
    await mapConcurrent(others, others.length, async (containerId) => {
      const { kind } = await engine.look(containerId, signal);
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

const NOTHING = { removalSent: 'never', accepted: false, goneLooks: 0, othersSeen: 'never' } as const;
