import { randomBytes } from 'node:crypto';
import type Docker from 'dockerode';
import { createDocker } from '../../../src/adapters/docker/connection.js';
import { ensureSleeperImage } from '../../../demo/containers/sleeper-image.js';
import { eventually } from '../eventually.js';

export type TestContainerState = 'created' | 'exited' | 'running' | 'paused' | 'restarting';

export interface TestContainers {
  /** A client that talks to the engine directly, past every fault proxy. */
  readonly docker: Docker;
  /** Makes a container, brings it into `state` and returns its id. */
  readonly make: (state: TestContainerState, options?: TestContainerOptions) => Promise<string>;
  /** The ids of all that was made and not cleared. */
  readonly made: () => readonly string[];
  /** The engine's own word for the state, or `missing`. */
  readonly stateOf: (id: string) => Promise<string>;
  /** Removes all containers that were made, in any state. */
  readonly clear: () => Promise<void>;
}

interface TestContainerOptions {
  readonly gameLabel?: string | null;
  readonly name?: string;
  readonly create?: Docker.ContainerCreateOptions;
}

// The engine doubles its pause with each restart; after the fifth it is 3.2 s long, time enough to look at it.
const LONG_PAUSE_RESTARTS = 5;

const PROGRAM: Readonly<Record<TestContainerState, string>> = {
  created: '/exit',
  exited: '/exit',
  running: '/sleep',
  paused: '/sleep',
  restarting: '/fail',
};

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'statusCode' in error && error.statusCode === 404;

/** Containers of the tests' own image in the engine behind `socketPath`. */
export const createTestContainers = async (socketPath: string): Promise<TestContainers> => {
  const docker = createDocker({ host: `unix://${socketPath}` });
  const image = await ensureSleeperImage(docker);
  const made: Docker.Container[] = [];

  const make: TestContainers['make'] = async (state, { gameLabel = 'game-1', name, create = {} } = {}) => {
    const { HostConfig: hostConfig, ...rest } = create;
    const restart = state === 'restarting' ? { RestartPolicy: { Name: 'always' } } : {};
    const container = await docker.createContainer({
      name: name ?? `test-${randomBytes(6).toString('hex')}`,
      Image: image,
      Cmd: [PROGRAM[state]],
      Labels: gameLabel === null ? {} : { 'com.galaxy.game_id': gameLabel },
      // Without a network of its own a container starts in half the time.
      NetworkDisabled: true,
      HostConfig: { NetworkMode: 'none', ...restart, ...hostConfig },
      ...rest,
    });
    made.push(container);
    await bringInto(state, container);
    return container.id;
  };

  const bringInto = async (state: TestContainerState, container: Docker.Container): Promise<void> => {
    if (state === 'created') return;
    await container.start();
    if (state === 'exited') await container.wait();
    if (state === 'paused') await container.pause();
    if (state === 'restarting') await eventually(() => assertInLongPause(container), { withinMs: 30_000 });
  };

  return {
    docker,
    make,
    made: () => made.map(({ id }) => id),
    stateOf: async (id) => {
      try {
        return (await docker.getContainer(id).inspect()).State.Status;
      } catch (error) {
        if (isMissing(error)) return 'missing';
        throw error;
      }
    },
    clear: async () => {
      // One after the other: an id that is gone may be the name of another container of this test.
      for (const container of made.splice(0)) {
        try {
          await container.remove({ force: true, v: true });
        } catch (error) {
          if (!isMissing(error)) throw error;
        }
      }
    },
  };
};

const assertInLongPause = async (container: Docker.Container): Promise<void> => {
  const { RestartCount: restarts, State: state } = await container.inspect();
  if (!state.Restarting || restarts < LONG_PAUSE_RESTARTS) {
    throw new Error(`the container is ${state.Status} after ${restarts} restarts`);
  }
};
