import { randomBytes } from 'node:crypto';
import type {
  ContainerActivity,
  ContainerEngine,
  ContainerState,
  LabelledContainer,
  PresentContainer,
  RemovalAnswer,
} from '../../../src/cleanup/ports.js';
import { isFullContainerId } from '../../../src/domain/runtime-record.js';

interface FakeContainer {
  readonly gameLabel: string | null;
  activity: ContainerActivity;
}

export interface FakeEngine {
  readonly engine: ContainerEngine;
  /** What the engine holds, by id; tests may change it behind the caller's back. */
  readonly containers: Map<string, FakeContainer>;
  /** Puts a container in and returns its id. */
  readonly add: (container?: Partial<FakeContainer>) => string;
}

/** A container engine in memory, as unkind as a real one: it refuses what it would refuse, and removals take a while. */
export const createFakeEngine = (): FakeEngine => {
  const containers = new Map<string, FakeContainer>();

  const stateOf = ({ gameLabel, activity }: FakeContainer): PresentContainer => ({
    kind: 'present',
    gameLabel,
    activity,
    detail: wordFor(activity),
  });

  const requireFullId = (id: string): void => {
    if (!isFullContainerId(id)) throw new TypeError(`not a full container id: ${id}`);
  };
  const answering = async (signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted();
    await Promise.resolve();
    signal.throwIfAborted();
  };

  const look = async (id: string, signal: AbortSignal): Promise<ContainerState> => {
    requireFullId(id);
    await answering(signal);
    const container = containers.get(id);
    return container === undefined ? { kind: 'gone' } : stateOf(container);
  };

  const remove = async (id: string, signal: AbortSignal): Promise<RemovalAnswer> => {
    requireFullId(id);
    await answering(signal);
    const container = containers.get(id);
    if (container === undefined) return { kind: 'gone', ours: false };
    if (container.activity !== 'idle') {
      return { kind: 'still_there', state: stateOf(container), detail: `the container is ${container.activity}` };
    }
    container.activity = 'removing';
    await Promise.resolve();
    containers.delete(id);
    return { kind: 'gone', ours: true };
  };

  const labelled = async (gameId: string, signal: AbortSignal): Promise<readonly LabelledContainer[]> => {
    await answering(signal);
    return [...containers]
      .filter(([, { gameLabel }]) => gameLabel === gameId)
      .map(([containerId, { activity }]) => ({
        containerId,
        status: wordFor(activity),
        isActive: ['running', 'paused', 'restarting'].includes(activity),
      }));
  };

  return {
    engine: { look, remove, labelled },
    containers,
    add: ({ gameLabel = null, activity = 'idle' } = {}) => {
      const id = randomBytes(32).toString('hex');
      containers.set(id, { gameLabel, activity });
      return id;
    },
  };
};

/** The word of an engine's list for the state. */
const wordFor = (activity: ContainerActivity): string => (activity === 'idle' ? 'exited' : activity);
