/** Changes to the files of a container that the engine does not know of. */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type Docker from 'dockerode';

const shell = (script: string, args: readonly string[]): void => {
  const { status, stderr } = spawnSync('sh', ['-c', script, ...args], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${script} failed with ${args.join(' ')}: ${stderr}`);
};

/** Puts a file into the container's own folder that no process can unlink until the returned function is called. */
export const pinFile = (engineDataRoot: string, containerId: string): (() => void) => {
  const pinned = join(engineDataRoot, 'containers', containerId, 'pinned');
  writeFileSync(pinned, '');
  shell('chattr "$0" "$1"', ['+i', pinned]);
  return () => shell('chattr "$0" "$1"', ['-i', pinned]);
};

/**
 * Makes the engine wait in the removal of this container: its storage driver reads the layer's file `link`, which becomes
 * a named pipe here. The returned function gives the engine the content, so that the removal goes on. In the layer, not in
 * the container's own folder: for that one newer engines hold the container's lock, and a second call waits.
 */
export const holdRemoval = async (docker: Docker, containerId: string): Promise<() => Promise<void>> => {
  const { GraphDriver: driver } = await docker.getContainer(containerId).inspect();
  const upper = (driver.Data as Readonly<Record<string, string>> | null)?.['UpperDir'];
  if (upper === undefined) throw new Error(`the storage driver ${driver.Name} names no folder of the layer`);
  const link = join(dirname(upper), 'link');
  const content = readFileSync(link);
  rmSync(link);
  shell('mkfifo "$0"', [link]);
  return () => writeFile(link, content);
};
