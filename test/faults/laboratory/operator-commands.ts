/** What an operator's commands do, without a process for each: the program's own parts, straight at a site's stores. */
import { composeCore } from '../../../src/app/compose-core.js';
import type { Context } from '../../../src/app/context.js';
import { systemClock } from '../../../src/async/clock.js';
import { readConfig } from '../../../src/config/config.js';
import type { EngineRegistry } from '../../../src/engines/engine-ports.js';
import type { DeadLetters } from '../../../src/jobs/dead-letters.js';
import type { CleanupQueue } from '../../../src/jobs/ports.js';
import type { Holds } from '../../../src/retention/holds.js';
import type { Retention } from '../../../src/retention/retention-service.js';
import { createLogger } from '../../../src/telemetry/logger.js';
import type { Site } from './site.js';

export interface OperatorCommands {
  readonly queue: CleanupQueue;
  readonly deadLetters: DeadLetters;
  readonly holds: Holds;
  readonly retention: Retention;
  readonly engines: EngineRegistry;
  readonly close: () => Promise<void>;
}

const PATIENCE_MS = 30_000;

export async function openOperatorCommands({ straight }: Pick<Site, 'straight'>): Promise<OperatorCommands> {
  const log = createLogger({ level: 'silent', name: 'laboratory' });
  const context: Context = {
    config: readConfig(straight),
    log,
    clock: systemClock,
    patienceMs: PATIENCE_MS,
    signal: new AbortController().signal,
  };
  const core = composeCore(context);
  const { holds, engines } = await core.connectDatabase();
  await core.connectQueueStore();
  const { queues, retention, close } = core;
  return { queue: queues.producer, deadLetters: queues.deadLetters, holds, retention, engines, close };
}
