/** What a test does to the files of a container, behind the engine's back. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type Docker from 'dockerode';

const shell = (script: string, args: readonly string[], cwd?: string): void => {
  const { status, stderr } = spawnSync('sh', ['-c', script, ...args], { encoding: 'utf8', ...(cwd && { cwd }) });
  if (status !== 0) throw new Error(`${script} failed with ${args.join(' ')}: ${stderr}`);
};

/** Puts a file into the container's own folder that no process can unlink until the returned function is called. */
export const pinFile = (engineDataRoot: string, containerId: string): (() => void) => {
  const pinned = join(engineDataRoot, 'containers', containerId, 'pinned');
  writeFileSync(pinned, '');
  shell('chattr "$0" "$1"', ['+i', pinned]);
  return () => shell('chattr "$0" "$1"', ['-i', pinned]);
};

const MANY_FILES = 30_000;

/**
 * Files that the engine has to unlink one by one, so that a removal takes long enough to be looked at. In the layer, not
 * in the container's own folder: for that one newer engines hold the container's lock, and a second call waits.
 */
export const slowDownRemoval = async (docker: Docker, containerId: string): Promise<void> => {
  const { GraphDriver: driver } = await docker.getContainer(containerId).inspect();
  const upper = (driver.Data as Readonly<Record<string, string>> | null)?.['UpperDir'];
  if (upper === undefined) throw new Error(`the storage driver ${driver.Name} tells no folder of the layer`);
  const folder = join(upper, 'many-files');
  mkdirSync(folder);
  shell('seq 1 "$0" | xargs touch', [String(MANY_FILES)], folder);
};
