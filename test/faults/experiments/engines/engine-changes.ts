/** How the engine behind an address can be another one than before, or see nothing, and how that is repaired. */
import { renameSync, rmSync } from 'node:fs';
import type { PrivateEngine } from '../../../../scripts/services/engine.mjs';
import type { Site } from '../../laboratory/site.js';

interface Scene {
  readonly site: Site;
  /** The engine that owns the containers; this trial may stop it. */
  readonly engine: PrivateEngine;
  /** An engine without containers. */
  readonly other: PrivateEngine;
}

export interface EngineChange {
  readonly name: string;
  /** Games that are cleaned up right before the change: what was seen a moment ago must not be believed after it. */
  readonly before: number;
  /** Games that are asked for while the engine is changed. */
  readonly during: number;
  readonly begin: (scene: Scene) => Promise<void>;
  readonly end: (scene: Scene) => Promise<void>;
}

const movedFrom = (dataRoot: string): string => `${dataRoot}-moved`;

export const ENGINE_CHANGES: readonly EngineChange[] = [
  {
    name: 'another engine at the address',
    before: 0,
    during: 9,
    begin: async ({ site, other }) => site.engine.redirect(other.socketPath),
    end: async ({ site, engine }) => site.engine.redirect(engine.socketPath),
  },
  {
    name: 'another engine at the address, one game left',
    before: 3,
    during: 1,
    begin: async ({ site, other }) => site.engine.redirect(other.socketPath),
    end: async ({ site, engine }) => site.engine.redirect(engine.socketPath),
  },
  {
    name: 'another engine at the address, from a removal on',
    before: 0,
    during: 3,
    // The engine never receives the removal, and the other one says of its container that it is gone.
    begin: async ({ site, other }) =>
      site.engine.use(({ method }) => {
        if (method !== 'DELETE') return undefined;
        site.engine.redirect(other.socketPath);
        return { kind: 'reset' };
      }),
    end: async ({ site, engine }) => {
      site.engine.use(() => undefined);
      site.engine.redirect(engine.socketPath);
    },
  },
  {
    name: 'another storage driver',
    before: 2,
    during: 5,
    begin: ({ engine }) => engine.restart({ storageDriver: 'vfs' }),
    end: ({ engine }) => engine.restart(),
  },
  {
    name: 'an empty data folder',
    before: 2,
    during: 12,
    begin: async ({ engine }) => {
      await engine.kill();
      renameSync(engine.dataRoot, movedFrom(engine.dataRoot));
      await engine.restart();
    },
    end: async ({ engine }) => {
      await engine.kill();
      rmSync(engine.dataRoot, { recursive: true, force: true });
      renameSync(movedFrom(engine.dataRoot), engine.dataRoot);
      await engine.restart();
    },
  },
];
