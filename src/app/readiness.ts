import { pingEngine } from '../adapters/docker/connection.js';
import type { ReadinessCheck } from '../adapters/http/http-ports.js';
import { withDeadline } from '../async/deadline.js';
import { messageOf, TimeoutError } from '../domain/errors.js';
import { sweepProblem } from '../retention/health.js';
import type { Core } from './compose-core.js';
import { dockerOf } from './connect/engine.js';
import type { Context } from './context.js';

/** Below the second after which the HTTP API gives up. */
const CHECK_LIMIT_MS = 900;

interface Options {
  /** Only a process that takes jobs needs an engine. */
  readonly needsEngine: boolean;
}

type Finding = Omit<ReadinessCheck, 'name'>;

const ok = (detail: string): Finding => ({ ok: true, detail });

/** Checks all that the service needs, all at once; never rejects and takes no longer than `CHECK_LIMIT_MS`. */
export function createReadiness(
  context: Context,
  { now, queues }: Pick<Core, 'now' | 'queues'>,
  { needsEngine }: Options,
): () => Promise<readonly ReadinessCheck[]> {
  const { config, clock } = context;
  const startedMs = clock.monotonicMs();

  /** By the database's clock: this machine's clock may be wrong, and so may that of the process that swept last. */
  async function sweeps(): Promise<Finding> {
    const [databaseTime, status] = await Promise.all([now(), queues.schedule.status()]);
    const watchedSince = new Date(databaseTime.getTime() - (clock.monotonicMs() - startedMs));
    const problem = sweepProblem(status, { now: databaseTime, intervalMs: config.cleanupIntervalMs, watchedSince });
    if (problem !== undefined) return { ok: false, detail: problem };
    return ok(status.last === null ? 'no sweep yet' : `last one finished at ${status.last.finishedAt}`);
  }

  async function queue(): Promise<Finding> {
    const { waiting, active, failed } = await queues.producer.counts();
    return ok(`${waiting} waiting, ${active} active, ${failed} dead letters`);
  }

  async function engine(): Promise<Finding> {
    const { version } = await pingEngine({ docker: dockerOf(config), clock, timeoutMs: CHECK_LIMIT_MS });
    return ok(`version ${version}`);
  }

  const checks: Readonly<Record<string, () => Promise<Finding>>> = {
    database: async () => ok(`its clock says ${(await now()).toISOString()}`),
    queue,
    ...(needsEngine ? { engine } : {}),
    retention: sweeps,
  };

  return () => Promise.all(Object.entries(checks).map(([name, look]) => run(context, name, look)));
}

async function run({ clock }: Context, name: string, look: () => Promise<Finding>): Promise<ReadinessCheck> {
  const late = () => new TimeoutError('no answer', CHECK_LIMIT_MS);
  try {
    return { name, ...(await withDeadline({ clock, limitMs: CHECK_LIMIT_MS, late }, look)) };
  } catch (error) {
    return { name, ok: false, detail: messageOf(error) };
  }
}
