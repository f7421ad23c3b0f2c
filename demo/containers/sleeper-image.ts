import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type Docker from 'dockerode';
import { pack } from 'tar-stream';
import { UnavailableError } from '../../src/domain/errors.js';
import { type SleeperArchitecture, sleeperPrograms } from './sleeper-programs.js';

/**
 * An image of a few kilobytes, built by this file: `/sleep` (the default command) waits for ever, `/exit` ends with
 * status 0, `/fail` with status 1. Its containers stop at once, by SIGKILL. The demo, the tests and the benchmarks use
 * it, because it needs no registry and no build tool.
 */
export const SLEEPER_IMAGE = 'runtime-cleanup/sleeper:1';

// Any constant time: the same content must always give the same image id.
const CREATED = '2026-01-01T00:00:00Z';

/**
 * Loads the sleeper image into the engine unless it has it already, and returns its reference. Safe to call many times
 * at once. Rejects with `UnavailableError` when the engine does not load it.
 */
export async function ensureSleeperImage(docker: Docker): Promise<string> {
  const existing = await docker.listImages({ filters: { reference: [SLEEPER_IMAGE] } });
  if (existing.length > 0) return SLEEPER_IMAGE;
  const { Arch } = await docker.version();
  const archive = await imageArchive(architectureOf(Arch));
  const report = await buffer(await docker.loadImage(Readable.from([archive]), { quiet: true }));
  const problem = errorIn(report.toString());
  if (problem !== undefined)
    throw new UnavailableError('docker', `the engine could not load the image ${SLEEPER_IMAGE}: ${problem}`);
  return SLEEPER_IMAGE;
}

function architectureOf(arch: string): SleeperArchitecture {
  if (arch === 'amd64' || arch === 'arm64') return arch;
  throw new UnavailableError(
    'docker',
    `there is no sleeper image for the engine's architecture ${arch}, only for amd64 and arm64`,
  );
}

// The engine answers 200 before it reads the archive; a later error is a line of its report.
function errorIn(report: string): string | undefined {
  return report.split('\n').find((line) => line.includes('"error"'));
}

/**
 * An archive in the format of `docker save`: one layer, its configuration, and a list of both. It is loaded rather than
 * imported as a file system, because only a loaded image can set its stop signal on every engine.
 */
async function imageArchive(architecture: SleeperArchitecture): Promise<Buffer> {
  const programs = Object.entries(sleeperPrograms(architecture));
  const layer = await tar(programs.map(([name, content]) => ({ name, content, mode: 0o755 })));
  const config = JSON.stringify({
    architecture,
    os: 'linux',
    config: { Cmd: ['/sleep'], StopSignal: 'SIGKILL' },
    rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(layer)}`] },
    created: CREATED,
    history: [{ created: CREATED, created_by: 'runtime-cleanup' }],
  });
  const configName = `${sha256(config)}.json`;
  const manifest = JSON.stringify([{ Config: configName, RepoTags: [SLEEPER_IMAGE], Layers: ['layer.tar'] }]);
  return tar([
    { name: 'layer.tar', content: layer, mode: 0o644 },
    { name: configName, content: Buffer.from(config), mode: 0o644 },
    { name: 'manifest.json', content: Buffer.from(manifest), mode: 0o644 },
  ]);
}

interface TarFile {
  readonly name: string;
  readonly content: Buffer;
  readonly mode: number;
}

/** All times are 0, so that the same programs give the same image everywhere. */
async function tar(files: readonly TarFile[]): Promise<Buffer> {
  const archive = pack();
  for (const { name, content, mode } of files) archive.entry({ name, mode, mtime: new Date(0) }, content);
  archive.finalize();
  return buffer(archive);
}

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
