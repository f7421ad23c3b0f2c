/**
 * The end of a history, when every fault is over: all games are stopped and all jobs end; the dead letters are
 * replayed once, because their cause may be repaired; then some games become due, and a last sweep requests all
 * that are due.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../../../support/eventually.js';
import type { OperatorCommands } from '../../../laboratory/operator-commands.js';
import type { SeenJob } from '../../../laboratory/jobs.js';
import type { Lifecycle } from '../../../laboratory/lifecycle.js';
import type { Site } from '../../../laboratory/site.js';
import type { Game, History, Standing } from '../history.js';
import type { Operations } from '../operations.js';
import { isServed } from '../schedule.js';

type FinalFacts = Pick<History, 'settled' | 'settlingMs' | 'jobsSettled' | 'jobsAtLast' | 'beforeSweep' | 'afterSweep'>;

export interface FinalState {
  readonly settleAndRead: (aged: readonly number[]) => Promise<FinalFacts>;
  /** Leaves nothing of this history to the next. */
  readonly tidyUp: (jobs: readonly SeenJob[]) => Promise<void>;
}

interface Deps {
  readonly site: Site;
  readonly operator: OperatorCommands;
  readonly lifecycle: Lifecycle;
  readonly operations: Operations;
  readonly games: readonly Game[];
}

const OPERATOR = { name: 'laboratory', opSource: 'operator_cli' } as const;
const SETTLED_WITHIN_MS = 30_000;
const ASK_AGAIN_MS = 250;

const STANDING = `
SELECT r.game_id AS "gameId", r.status, r.current_container_id AS "containerId",
       r.status = 'stopped' AND coalesce(r.stopped_at, r.last_op_at) <= now() - interval '30 days' AS "isDue",
       h.game_id IS NOT NULL AS "isHeld"
FROM runtime_records r LEFT JOIN retention_holds h USING (game_id)
WHERE r.game_id = ANY($1) ORDER BY r.game_id`;

const AGE = `UPDATE runtime_records SET stopped_at = now() - interval '40 days' WHERE status = 'stopped' AND game_id = ANY($1)`;

export function createFinalState({ site, operator, lifecycle, operations, games }: Deps): FinalState {
  const { db, jobs, containers } = site;
  const ids = games.map(({ gameId }) => gameId);
  const seenJobs = new Set<string>();

  /** Stops the container, with the record and without it. */
  const stop = async ({ gameId }: Game): Promise<void> => {
    await eventually(
      async () => {
        const answer = await lifecycle.stop(gameId);
        if (answer === 'done' || answer === 'no record') return;
        await sleep(ASK_AGAIN_MS);
        throw new Error(`${gameId} could not be stopped: ${answer}`);
      },
      { withinMs: SETTLED_WITHIN_MS },
    );
    await lifecycle.rudely('stop', gameId);
  };

  /** False when some job has not ended in time. A job may be between two states when it is looked for, so twice. */
  const settle = async (): Promise<boolean> => {
    const untilMs = performance.now() + SETTLED_WITHIN_MS;
    for (let quiet = 0; quiet < 2;) {
      const unfinished = (await jobs.unfinished()).filter(({ gameId }) => ids.includes(gameId));
      for (const { id } of unfinished) seenJobs.add(id);
      quiet = unfinished.length === 0 ? quiet + 1 : 0;
      // The right engine answers by now, and an operator says that what it does not have is gone.
      if (unfinished.length > 0) await operator.engines.accept('default', OPERATOR);
      if (performance.now() > untilMs) return false;
      if (quiet < 2) await sleep(quiet === 0 ? ASK_AGAIN_MS : 0);
    }
    return true;
  };

  const allJobs = async (): Promise<readonly SeenJob[]> => {
    const logged = 'SELECT DISTINCT job_id AS id FROM operation_log WHERE game_id = ANY($1) AND job_id IS NOT NULL';
    const { rows } = await db.query<{ id: string }>(logged, [ids]);
    const found = [...seenJobs, ...operations.accepted().map(({ jobId }) => jobId), ...rows.map(({ id }) => id)];
    return Promise.all([...new Set(found)].map((id) => jobs.find(id)));
  };

  const standing = async (): Promise<readonly Standing[]> => {
    const { rows } = await db.query<Omit<Standing, 'container'>>(STANDING, [ids]);
    const stateOf = async (id: string | null): Promise<string> => (id === null ? 'none' : containers.stateOf(id));
    return Promise.all(rows.map(async (row) => Object.assign(row, { container: await stateOf(row.containerId) })));
  };

  const replayDead = async (dead: readonly SeenJob[]): Promise<void> => {
    for (const { id } of dead) await eventually(() => operator.deadLetters.replay(id));
  };

  const sweep = (): Promise<void> =>
    eventually(async () => {
      const { status } = await operator.retention.sweep({ signal: new AbortController().signal });
      if (status !== 'done') throw new Error(`the sweep is ${status}`);
    });

  return {
    settleAndRead: async (aged) => {
      const beganMs = performance.now();
      await Promise.all(games.filter(({ situation }) => isServed(situation)).map(stop));
      const inTime = await settle();
      const settlingMs = performance.now() - beganMs;
      const jobsSettled = await allJobs();
      await replayDead(jobsSettled.filter(({ state }) => state === 'failed'));
      const replayedInTime = await settle();
      await db.query(AGE, [aged.flatMap((number) => games[number]?.gameId ?? [])]);
      const beforeSweep = await standing();
      await sweep();
      const sweptInTime = await settle();
      return {
        settled: inTime && replayedInTime && sweptInTime,
        settlingMs,
        jobsSettled,
        jobsAtLast: await allJobs(),
        beforeSweep,
        afterSweep: await standing(),
      };
    },
    tidyUp: async (all) => {
      for (const { id, state } of all) if (state === 'failed') await operator.deadLetters.purge(id);
      for (const table of ['runtime_records', 'retention_holds']) {
        await db.query(`DELETE FROM ${table} WHERE game_id = ANY($1)`, [ids]);
      }
    },
  };
}
