/** Plays one history to its end, and comes back with all that is known of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { watchEngine } from '../../laboratory/engine-ledger.js';
import type { OperatorCommands } from '../../laboratory/operator-commands.js';
import { createLifecycle } from '../../laboratory/lifecycle.js';
import { nowNs } from '../../laboratory/step-control.js';
import type { Site } from '../../laboratory/site.js';
import type { WorkerPool } from './worker-pool.js';
import { createFaults } from './faults.js';
import { makeGames, type Planted } from './games.js';
import type { History, Played } from './history.js';
import { createOperations, noteTenures } from './operations.js';
import { createFinalState } from './checks/final-state.js';
import { type Act, type Schedule, shownAct } from './schedule.js';

/** Where histories are played, one after the other. */
export interface Stage {
  readonly site: Site;
  readonly workerPool: WorkerPool;
  readonly operator: OperatorCommands;
  /** Those that stand there all the time. */
  readonly strangers: readonly Planted[];
}

export async function play(stage: Stage, schedule: Schedule): Promise<History> {
  const { site, workerPool, operator } = stage;
  await workerPool.complete();
  workerPool.takeFrozen();
  const startedAt = new Date();
  const startedNs = nowNs();
  const sinceStartMs = (): number => Math.round((nowNs() - startedNs) / 1e6);
  const ledger = await watchEngine(site.containers.docker);
  const steps = site.stepControl.follow();
  const { leases, tenures } = noteTenures(site.leases);
  const lifecycle = createLifecycle({ ...site, leases });
  try {
    const { games, strangers } = await makeGames(site, lifecycle, schedule, stage.strangers);
    const operations = createOperations({ site, operator, lifecycle, leases, games });
    const faults = createFaults({ site, workerPool, games });
    const finalState = createFinalState({ site, operator, lifecycle, operations, games });
    const played: Played[] = [];
    const perform = async (act: Act): Promise<void> => {
      const fromMs = sinceStartMs();
      const answer = await carryOut(act, { operations, faults }).catch(messageOf);
      played.push({ fromMs, toMs: sinceStartMs(), what: shownAct(act), answer });
    };

    await followSchedule(schedule, perform, faults.end);
    await workerPool.complete();
    const finalFacts = await finalState.settleAndRead(schedule.aged);
    await ledger.caughtUp();
    const notes = await Promise.all(games.map(({ gameId }) => site.audit.notes(gameId)));
    const allStrangers = [...stage.strangers, ...strangers];
    const history: History = {
      schedule,
      startedAt,
      startedNs,
      games,
      played: played.sort((a, b) => a.fromMs - b.fromMs),
      accepted: operations.accepted(),
      purged: operations.purged(),
      ...finalFacts,
      strangers: await Promise.all(
        allStrangers.map(async ({ containerId, what, was }) => ({
          containerId,
          what,
          was,
          is: await site.containers.stateOf(containerId),
        })),
      ),
      tenures,
      frozen: workerPool.takeFrozen(),
      steps: steps(),
      notes: notes.flat(),
      events: [...ledger.events()],
      requests: site.engine.requests(),
      asked: lifecycle.asked(),
    };
    await finalState.tidyUp(history.jobsAtLast);
    return history;
  } finally {
    await ledger.close();
    await site.containers.clear();
  }
}

/** Everything at its time, beside each other; resolves when all is over. */
async function followSchedule(
  { steps, endsMs }: Schedule,
  perform: (act: Act) => Promise<void>,
  endFaults: () => void,
): Promise<void> {
  const beganMs = performance.now();
  const until = (atMs: number): Promise<void> => sleep(Math.max(0, beganMs + atMs - performance.now()));
  const underWay: Promise<void>[] = [];
  for (const { atMs, act } of steps) {
    await until(atMs);
    underWay.push(perform(act));
  }
  await until(endsMs);
  endFaults();
  await Promise.all(underWay);
}

function carryOut(
  act: Act,
  {
    operations,
    faults,
  }: { readonly operations: ReturnType<typeof createOperations>; readonly faults: ReturnType<typeof createFaults> },
): Promise<string> {
  switch (act.kind) {
    case 'service':
    case 'ask':
    case 'sweep':
    case 'hold':
    case 'unhold':
    case 'replay':
    case 'purge':
    case 'occupy':
      return operations.perform(act);
    case 'engine':
    case 'swap':
    case 'line':
    case 'slow line':
    case 'cut line':
    case 'kill':
    case 'freeze':
    case 'kill at':
    case 'freeze at':
      return faults.commit(act);
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
