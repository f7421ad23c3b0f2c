import { randomBytes } from 'node:crypto';
import type { ContainerActivity, ContainerEngine, ContainerState, RemovalAnswer } from '../../../src/cleanup/ports.js';
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

  const sight = (id: string): ContainerState => {
    const container = containers.get(id);
    if (container === undefined) return { kind: 'gone' };
    const { gameLabel, activity } = container;
    return { kind: 'present', gameLabel, activity, detail: activity === 'idle' ? 'exited' : activity };
  };

  const answering = async (id: string, signal: AbortSignal): Promise<void> => {
    if (!isFullContainerId(id)) throw new TypeError(`not a full container id: ${id}`);
    signal.throwIfAborted();
    await Promise.resolve();
    signal.throwIfAborted();
  };

  const look = async (id: string, signal: AbortSignal): Promise<ContainerState> => {
    await answering(id, signal);
    return sight(id);
  };

  const remove = async (id: string, signal: AbortSignal): Promise<RemovalAnswer> => {
    await answering(id, signal);
    const container = containers.get(id);
    if (container === undefined) return { kind: 'gone' };
    if (container.activity !== 'idle') {
      return { kind: 'still_there', state: sight(id), detail: `the container is ${container.activity}` };
    }
    container.activity = 'removing';
    await Promise.resolve();
    containers.delete(id);
    return { kind: 'gone' };
  };

  return {
    engine: { look, remove },
    containers,
    add: ({ gameLabel = null, activity = 'idle' } = {}) => {
      const id = randomBytes(32).toString('hex');
      containers.set(id, { gameLabel, activity });
      return id;
    },
  };
};
