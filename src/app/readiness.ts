import { pingEngine } from '../adapters/docker/connection.js';
import type { ReadinessCheck } from '../adapters/http/http-ports.js';
import { messageOf, TimeoutError, BugError } from '../domain/errors.js';
import { sweepProblem } from '../retention/health.js';
import type { Context } from './context.js';
import type { Database } from './connect/database.js';
import { dockerOf } from './connect/engine.js';
import type { Queues } from './connect/queue-clients.js';
import { withDeadline } from '../async/deadline.js';

/** Whoever asks for readiness wants to know now. */
const CHECK_LIMIT_MS = 900;

interface Parts {
  readonly database: Pick<Database, 'now'>;
  readonly queues: Pick<Queues, 'producer' | 'schedule'>;
  /** Only what takes jobs needs an engine. */
  readonly needsEngine: boolean;
}

/** Looks at all that the service needs, all at once; never rejects and takes no longer than `CHECK_LIMIT_MS`. */
export function createReadiness(context: Context, { database, queues, needsEngine }: Parts) {
  const { config, clock } = context;
  const startedMs = clock.monotonicMs();

  /** By the database's clock: ours may be off, and so may that of whoever swept last. */
  async function sweeps(): Promise<string> {
    const [now, status] = await Promise.all([database.now(), queues.schedule.status()]);
    const watchedSince = new Date(now.getTime() - (clock.monotonicMs() - startedMs));
    const problem = sweepProblem(status, { now, intervalMs: config.cleanupIntervalMs, watchedSince });
    if (problem !== undefined) throw new BugError(problem);
    return status.last === null ? 'no sweep yet' : `last one finished at ${status.last.finishedAt}`;
  }

  async function queue(): Promise<string> {
    const { waiting, active, failed } = await queues.producer.counts();
    return `${waiting} waiting, ${active} active, ${failed} dead letters`;
  }

  async function engine(): Promise<string> {
    const facts = await pingEngine({
      docker: dockerOf(config),
      clock,
      signal: new AbortController().signal,
      timeoutMs: CHECK_LIMIT_MS,
    });
    return `version ${facts.version}`;
  }

  const checks: Readonly<Record<string, () => Promise<string>>> = {
    database: async () => `its clock says ${(await database.now()).toISOString()}`,
    queue,
    ...(needsEngine ? { engine } : {}),
    retention: sweeps,
  };

  return (): Promise<readonly ReadinessCheck[]> =>
    Promise.all(Object.entries(checks).map(([name, look]) => finding(context, name, look)));
}

async function finding({ clock }: Context, name: string, look: () => Promise<string>): Promise<ReadinessCheck> {
  const late = () => new TimeoutError('no answer', CHECK_LIMIT_MS);
  try {
    return { name, ok: true, detail: await withDeadline({ clock, limitMs: CHECK_LIMIT_MS, late }, look) };
  } catch (error) {
    return { name, ok: false, detail: messageOf(error) };
  }
}
