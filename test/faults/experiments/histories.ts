/** Seeded histories: random mixes of everything that people, other services and faults do, checked as a whole. */
import { createTestContainers } from '../../support/engine/test-containers.js';
import type { Experiment, Finding, Options, Servers, Store, Violation } from '../experiment.js';
import { openOperatorCommands } from '../laboratory/operator-commands.js';
import { openSite } from '../laboratory/site.js';
import { storyOf } from '../table.js';
import { checkHistory } from './histories/checks/checks.js';
import { createWorkerPool } from './histories/worker-pool.js';
import { DOCKER_TIMEOUT_MS, LEASE_TTL_MS, scheduleOf, WORKERS } from './histories/draw.js';
import { plantStrangers } from './histories/games.js';
import { play, type Stage } from './histories/play.js';
import { type Schedule, shownSchedule } from './histories/schedule.js';
import { reportHistory } from './histories/history-report.js';

const STORES: readonly Store[] = ['postgres', 'redis'];

const ENVIRONMENT = {
  RTMANAGER_GAME_LEASE_TTL_SECONDS: String(LEASE_TTL_MS / 1_000),
  RTMANAGER_DOCKER_TIMEOUT: `${DOCKER_TIMEOUT_MS}ms`,
  RTMANAGER_WORKER_CONCURRENCY: '3',
  // Nearly all games of a history may be due at once.
  RTMANAGER_SWEEP_MAX_SHARE: '100%',
  // Their pauses outlast the lease, and end while another worker runs.
  RTMANAGER_CONFLICT_MAX_ATTEMPTS: '4',
};

interface Played {
  readonly schedule: Schedule;
  readonly violations: readonly Violation[];
  readonly settlingMs: number;
}

export const histories: Experiment = {
  name: 'histories',
  about: 'random mixes of operations and faults by seed, each checked against what was promised',
  endsEarly: true,
  run: (servers, options) =>
    playHistories(
      Array.from({ length: options.histories }, (_, index) => options.seed + index),
      servers,
      options,
    ),
};

/** One finding for each store; the seed decides which it is. */
export async function playHistories(
  seeds: readonly number[],
  servers: Servers,
  { lanes, say, signal }: Pick<Options, 'lanes' | 'say' | 'signal'>,
): Promise<readonly Finding[]> {
  const played: Played[] = [];
  const schedules = seeds.map(scheduleOf);
  if (schedules.length === 1) for (const line of schedules.flatMap(shownSchedule)) say(line);
  const report = (one: Played): void => {
    played.push(one);
    const { length: wrong } = one.violations;
    say(
      `history ${played.length} of ${seeds.length}: seed ${one.schedule.seed}, ${one.schedule.store}: ` +
        `settled after ${Math.round(one.settlingMs)} ms${wrong === 0 ? '' : `, ${wrong} violations`}`,
    );
    // A long run goes on for hours after it.
    for (const violation of one.violations) say(storyOf(violation));
  };
  const left = {
    postgres: schedules.filter(({ store }) => store === 'postgres'),
    redis: schedules.filter(({ store }) => store === 'redis'),
  };
  signal?.addEventListener('abort', () => {
    for (const store of STORES) left[store].length = 0;
  });
  const count = Math.min(lanes, schedules.length);
  await Promise.all(Array.from({ length: count }, (_, lane) => playInLane({ servers, lane, left, report })));
  return STORES.map((store): Finding => {
    const mine = played.filter(({ schedule }) => schedule.store === store);
    return {
      fault: 'seeded histories',
      store,
      runs: mine.length,
      violations: mine.flatMap(({ violations }) => violations),
      recoveriesMs: mine.map(({ settlingMs }) => settlingMs),
    };
  });
}

interface LaneWork {
  readonly servers: Servers;
  readonly lane: number;
  /** The schedules that are still to be played, shared between the lanes. */
  readonly left: Readonly<Record<Store, Schedule[]>>;
  readonly report: (played: Played) => void;
}

/** New workers cost more than one history. */
const WORTH_A_STAGE = 4;

/** One history after the other, with the same workers; half of the lanes begin on each store, and help on the other. */
async function playInLane(work: LaneWork): Promise<void> {
  const { left, lane } = work;
  const mine = STORES[lane % STORES.length] ?? 'postgres';
  const other = mine === 'postgres' ? 'redis' : 'postgres';
  while (left[mine].length > 0) await playOnStage(mine, work);
  // One of them must begin where there are fewer lanes than stores.
  while (left[other].length >= (lane === 0 ? 1 : WORTH_A_STAGE)) await playOnStage(other, work);
}

/** Until nothing is left to play, or until something is wrong: what broke one history must not spoil the next. */
async function playOnStage(store: Store, { servers, lane, left, report }: LaneWork): Promise<void> {
  const site = await openSite(servers, { store, lane, environment: ENVIRONMENT });
  const workerPool = createWorkerPool(site, WORKERS);
  const bystanders = await createTestContainers(servers.engineSocket);
  const operator = await openOperatorCommands(site);
  try {
    const stage: Stage = { site, workerPool, operator, strangers: await plantStrangers(bystanders) };
    for (let next = left[store].shift(); next !== undefined; next = left[store].shift()) {
      const played = await playOne(stage, next);
      report(played);
      if (played.violations.length > 0) return;
    }
  } finally {
    await operator.close();
    const dismissed = workerPool.dismiss();
    await site.close();
    await dismissed;
    await bystanders.clear();
  }
}

async function playOne(stage: Stage, schedule: Schedule): Promise<Played> {
  const { seed } = schedule;
  try {
    const history = await play(stage, schedule);
    const broken = checkHistory(history);
    const lines = broken.length === 0 ? [] : reportHistory(history);
    const violations = broken.map(({ check, what }, index): Violation => ({
      check,
      what,
      seed,
      history: index === 0 ? lines : [],
    }));
    return { schedule, violations, settlingMs: history.settlingMs };
  } catch (error) {
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const violation = { check: 'the history comes to its end', what, seed, history: shownSchedule(schedule) };
    return { schedule, violations: [violation], settlingMs: 0 };
  }
}
