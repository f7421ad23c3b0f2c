/** The demo's containers: real ones of the sleeper image, with a label by which exactly these are found again. */
import type Docker from 'dockerode';
import type { ContainerPlan } from '../scenarios/scenario.js';
import { ensureSleeperImage, SLEEPER_IMAGE } from './sleeper-image.js';
import { type WaitContext, waitUntil } from '../wait-until.js';

/** Every container and volume of a run has this label, with the run's id as its value. */
export const RUN_LABEL = 'runtime-cleanup.demo';

export interface PreparedContainer {
  /** The container that was created for the game; its record names it. */
  readonly containerId: string;
  /** The container to inspect in the end: the same one, except when another container got its id as a name. */
  readonly observedId: string;
  readonly volumes: readonly string[];
}

export interface Containers {
  readonly prepare: (plan: ContainerPlan, gameId: string) => Promise<PreparedContainer>;
  readonly start: (containerId: string) => Promise<unknown>;
  /** The engine's word for its state, or `gone`. */
  readonly stateOf: (containerId: string) => Promise<string>;
  /** How many of these volumes still exist. */
  readonly volumesLeft: (volumes: readonly string[]) => Promise<number>;
  /** How many containers were created. */
  readonly created: () => number;
  /** Removes all containers of this run, in any state, their volumes, and the image unless it existed before. */
  readonly removeAll: () => Promise<void>;
}

const REMOVAL_ROUNDS = 3;

export async function openContainers(docker: Docker, runId: string, wait: WaitContext): Promise<Containers> {
  const images = await docker.listImages({ filters: { reference: [SLEEPER_IMAGE] } });
  const image = await ensureSleeperImage(docker);
  const ofThisRun = { filters: { label: [`${RUN_LABEL}=${runId}`] } };
  let created = 0;

  async function prepare(plan: ContainerPlan, gameId: string): Promise<PreparedContainer> {
    const container = await create(plan, gameId);
    const volumes = plan.volume ? await volumesOf(container) : [];
    await bringIntoState(plan, container, wait);
    const observed = plan.idReusedAsName
      ? await create({ ...plan, idReusedAsName: false }, gameId, container.id)
      : container;
    return { containerId: container.id, observedId: observed.id, volumes };
  }

  async function create(plan: ContainerPlan, gameId: string, name?: string): Promise<Docker.Container> {
    created += 1;
    return docker.createContainer({
      name: name ?? `runtime-cleanup-demo-${runId}-${created}`,
      Image: image,
      Cmd: [programOf(plan)],
      Labels: { ...gameLabels(plan, gameId), [RUN_LABEL]: runId },
      // Without a network of its own a container starts in half the time.
      NetworkDisabled: true,
      HostConfig: {
        NetworkMode: 'none',
        RestartPolicy: { Name: plan.restarts || plan.state === 'restarting' ? 'always' : '' },
        Mounts: plan.volume ? [anonymousVolume(runId)] : [],
      },
    });
  }

  async function removeAll(): Promise<void> {
    for (let round = 1; round <= REMOVAL_ROUNDS; round++) {
      const left = await docker.listContainers({ all: true, ...ofThisRun });
      if (left.length === 0) break;
      const removals = left.map(({ Id }) => docker.getContainer(Id).remove({ force: true, v: true }));
      const failed = (await Promise.allSettled(removals)).find((removal) => removal.status === 'rejected');
      if (round === REMOVAL_ROUNDS && failed !== undefined) throw failed.reason;
    }
    const { Volumes: volumes } = await docker.listVolumes(ofThisRun);
    await Promise.all((volumes ?? []).map(({ Name }) => docker.getVolume(Name).remove()));
    if (images.length === 0) await removeUnusedImage(docker, image);
  }

  return {
    prepare,
    start: (containerId) => docker.getContainer(containerId).start(),
    stateOf: async (containerId) => {
      const inspected = await unlessGone(docker.getContainer(containerId).inspect());
      return inspected === undefined || inspected.Id !== containerId ? 'gone' : inspected.State.Status;
    },
    volumesLeft: async (volumes) => {
      const found = await Promise.all(volumes.map((name) => unlessGone(docker.getVolume(name).inspect())));
      return found.filter((volume) => volume !== undefined).length;
    },
    created: () => created,
    removeAll,
  };
}

/** Leaves the image when another run on the same engine uses it (409) or has removed it (404). */
async function removeUnusedImage(docker: Docker, image: string): Promise<void> {
  try {
    await docker.getImage(image).remove();
  } catch (error) {
    if (!hasStatus(error, 404) && !hasStatus(error, 409)) throw error;
  }
}

/** A container that is stopped by hand must run until then; one that exits by itself does so at once. */
function programOf({ state, restarts }: ContainerPlan): string {
  if (state === 'restarting') return '/fail';
  return state === 'exited' && !restarts ? '/exit' : '/sleep';
}

function gameLabels({ label }: ContainerPlan, gameId: string): Record<string, string> {
  if (label === 'none') return {};
  const labelled = label === 'own' ? gameId : `not-${gameId}`;
  return { 'com.galaxy.game_id': labelled, 'com.galaxy.owner': 'runtime-cleanup-demo' };
}

function anonymousVolume(runId: string): Docker.MountSettings {
  const VolumeOptions = { NoCopy: true, Labels: { [RUN_LABEL]: runId }, DriverConfig: { Name: '', Options: {} } };
  // Without a source the engine creates a new volume and treats it as anonymous.
  return { Target: '/data', Source: '', Type: 'volume', VolumeOptions };
}

async function bringIntoState(plan: ContainerPlan, container: Docker.Container, wait: WaitContext): Promise<void> {
  switch (plan.state) {
    case 'created':
      return;
    case 'removed':
      await container.remove({ v: true });
      return;
    case 'exited':
      await container.start();
      await (plan.restarts ? container.stop({ t: 0 }) : container.wait());
      return;
    case 'running':
      await container.start();
      return;
    case 'paused':
      await container.start();
      await container.pause();
      return;
    case 'restarting': {
      await container.start();
      const condition = { what: 'the first restart of a container', everyMs: 50, withinMs: 20_000 };
      await waitUntil(wait, condition, async () => (await container.inspect()).RestartCount > 0);
    }
  }
}

async function volumesOf(container: Docker.Container): Promise<readonly string[]> {
  const { Mounts: mounts } = await container.inspect();
  return mounts.flatMap(({ Name }) => (Name === undefined ? [] : [Name]));
}

async function unlessGone<Answer>(asking: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await asking;
  } catch (error) {
    if (hasStatus(error, 404)) return undefined;
    throw error;
  }
}

function hasStatus(error: unknown, statusCode: number): boolean {
  return error instanceof Error && 'statusCode' in error && error.statusCode === statusCode;
}
