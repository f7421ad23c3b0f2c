import { pingEngine } from '../adapters/docker/connection.js';
import type { ReadinessCheck } from '../adapters/http/http-ports.js';
import { withDeadline } from '../async/deadline.js';
import { messageOf, TimeoutError } from '../domain/errors.js';
import { engineProblems } from '../engines/engine-problems.js';
import { sweepProblem } from '../retention/health.js';
import type { Core } from './compose-core.js';
import { newLeaseToken } from './random.js';
import { engineCheckName, type NamedEngine, namedEngines } from './connect/engine.js';
import type { Context } from './context.js';

/** Below the second after which the HTTP API gives up. */
const CHECK_LIMIT_MS = 900;

/** No game has this id, because it has a control character. */
const NO_GAME = '\u0000readiness';

interface Options {
  /** Only a process that takes jobs needs the engines. */
  readonly needsEngine: boolean;
}

type Finding = Omit<ReadinessCheck, 'name'>;

const ok = (detail: string): Finding => ({ ok: true, detail });

/** Checks all that the service needs, all at once; never rejects and takes no longer than `CHECK_LIMIT_MS`. */
export function createReadiness(
  context: Context,
  {
    now,
    nowIfWritable,
    queues,
    engines,
    backend,
    leases,
  }: Pick<Core, 'now' | 'nowIfWritable' | 'queues' | 'engines' | 'backend' | 'leases'>,
  { needsEngine }: Options,
): () => Promise<readonly ReadinessCheck[]> {
  const { config, clock } = context;
  const startedMs = clock.monotonicMs();
  const used = needsEngine ? namedEngines(config) : [];

  /** By the database's clock: this machine's clock may be wrong, and so may that of the process that swept last. */
  async function sweeps(): Promise<Finding> {
    const [databaseTime, status] = await Promise.all([now(), queues.schedule.status()]);
    const watchedSince = new Date(databaseTime.getTime() - (clock.monotonicMs() - startedMs));
    const problem = sweepProblem(status, { now: databaseTime, intervalMs: config.cleanupIntervalMs, watchedSince });
    if (problem !== undefined) return { ok: false, detail: problem };
    return ok(status.last === null ? 'no sweep yet' : `last one finished at ${status.last.finishedAt}`);
  }

  async function queue(): Promise<Finding> {
    // Before the question, because its refusal names the reason.
    await backend.checkWritable();
    const { waiting, active, failed } = await queues.producer.counts();
    return ok(`${waiting} waiting, ${active} active, ${failed} dead letters`);
  }

  /** The lease of a game that cannot exist, for a millisecond: a replica answers questions, and refuses this. */
  async function leaseStore(): Promise<Finding> {
    await leases.acquire(NO_GAME, newLeaseToken(), 1);
    return ok('a lease can be acquired');
  }

  async function answers({ connect }: NamedEngine): Promise<Finding> {
    const { version } = await pingEngine({
      docker: connect({ connections: 'fresh' }),
      clock,
      timeoutMs: CHECK_LIMIT_MS,
    });
    return ok(`version ${version}`);
  }

  /** What workers have found and stored: a process without access to an engine sees it, too. */
  async function identities(): Promise<Finding> {
    const known = await engines.list();
    const problems = known.flatMap(engineProblems);
    if (problems.length > 0) return { ok: false, detail: problems.join('; ') };
    return ok(
      known.length === 0 ? 'no engine has been used yet' : `known: ${known.map(({ name }) => name).join(', ')}`,
    );
  }

  const checks: readonly (readonly [name: string, look: () => Promise<Finding>])[] = [
    ['database', async () => ok(`can be written; its clock says ${(await nowIfWritable()).toISOString()}`)],
    ['queue', queue],
    ...(config.leaseStore === 'redis' ? [['leases', leaseStore] as const] : []),
    ...used.map((engine) => [engineCheckName(engine.name), () => answers(engine)] as const),
    ['engines', identities],
    ['retention', sweeps],
  ];

  return () => Promise.all(checks.map(([name, look]) => run(context, name, look)));
}

async function run({ clock }: Context, name: string, look: () => Promise<Finding>): Promise<ReadinessCheck> {
  const late = () => new TimeoutError('no answer', CHECK_LIMIT_MS);
  try {
    return { name, ...(await withDeadline({ clock, limitMs: CHECK_LIMIT_MS, late }, look)) };
  } catch (error) {
    return { name, ok: false, detail: messageOf(error) };
  }
}
