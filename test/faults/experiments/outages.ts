/** Engine, Redis and PostgreSQL each unavailable under load, and back: nothing is lost, the log stays short, and soon all is done. */
import { messageOf } from '../../../src/domain/errors.js';
import type { Experiment, Finding, Options, Store, Violation } from '../experiment.js';
import { type Failover, FAILOVERS, OUTAGE_KINDS } from './outages/outage-kinds.js';
import { type OwnServers, startOwnServers } from './outages/own-servers.js';
import { runFailover } from './outages/run-failover.js';
import { type Ending, runOutage, type Trial } from './outages/run-outage.js';

const STORES: readonly Store[] = ['postgres', 'redis'];
/** A lane has an engine, a Redis and a PostgreSQL of its own; more of them measure each other. */
const MOST_LANES = 2;
const GAMES_PER_SECOND = 10;
const MOST_GAMES = 200;
const FAILOVER_GAMES = 100;
const LINES_TOLD = 60;

export const outages: Experiment = {
  name: 'outages',
  about:
    'engine, Redis and PostgreSQL killed, frozen, behind a black hole, Redis and PostgreSQL failed over, under load, and back',
  // It kills servers, so it has its own.
  run: async (_servers, options) => [
    ...(await runTrials(trialsOf(options.outage), options)),
    ...(await runFailovers(options)),
  ],
};

/** Every absence on every store that it concerns. */
function trialsOf(outageSeconds: number): readonly Trial[] {
  const games = Math.min(MOST_GAMES, GAMES_PER_SECOND * outageSeconds);
  return OUTAGE_KINDS.flatMap((absence) =>
    STORES.filter((store) => absence.stores.includes(store)).map((store) => ({
      absence,
      store,
      games,
      outageMs: outageSeconds * 1_000,
    })),
  );
}

async function runTrials(
  trials: readonly Trial[],
  { lanes, seed, say }: Pick<Options, 'lanes' | 'seed' | 'say'>,
): Promise<readonly Finding[]> {
  const left = [...trials.entries()];
  const findings: Finding[] = [];
  const lane = async (): Promise<void> => {
    const own = await startOwnServers();
    try {
      for (let next = left.shift(); next !== undefined; next = left.shift()) {
        const [index, trial] = next;
        findings[index] = await find(own, trial, seed).catch((error: unknown) => brokenOff(trial, seed, error));
        for (const note of findings[index].notes ?? []) say(note);
      }
    } finally {
      await own.stop();
    }
  };
  await Promise.all(Array.from({ length: Math.min(lanes, MOST_LANES, trials.length) }, lane));
  return findings;
}

async function find(own: OwnServers, trial: Trial, seed: number): Promise<Finding> {
  const { absence, store, outageMs } = trial;
  const ending = await runOutage(own, trial);
  const history = ending.said.slice(-LINES_TOLD);
  const violations = ending.broken.map((one): Violation => ({ ...one, seed, history }));
  return {
    fault: `${absence.name} for ${outageMs / 1_000} s`,
    store,
    runs: 1,
    violations,
    recoveriesMs: [ending.recoveryMs],
    notes: [noteOf(trial, ending)],
  };
}

/** A failover has seven servers and more, so they are not run side by side. */
async function runFailovers({ seed, say }: Pick<Options, 'seed' | 'say'>): Promise<readonly Finding[]> {
  const own = await startOwnServers();
  const findings: Finding[] = [];
  try {
    for (const failover of FAILOVERS) {
      const finding = await findAfter(own, failover, seed);
      for (const note of finding.notes ?? []) say(note);
      findings.push(finding);
    }
  } finally {
    await own.stop();
  }
  return findings;
}

async function findAfter(own: OwnServers, failover: Failover, seed: number): Promise<Finding> {
  const row = { fault: failover.name, store: 'redis', runs: 1 } as const;
  try {
    const { broken, recoveryMs, burnt, said } = await runFailover(own, failover, FAILOVER_GAMES);
    const history = said.slice(-LINES_TOLD);
    const note = `${failover.name}: ${FAILOVER_GAMES} games done ${(recoveryMs / 1_000).toFixed(1)} s later; ${burnt} attempts failed`;
    const violations = broken.map(({ check, what }): Violation => ({ check, what, seed, history }));
    return { ...row, violations, recoveriesMs: [recoveryMs], notes: [note] };
  } catch (error) {
    const violation = { check: 'the trial can be held', what: messageOf(error), seed, history: [] };
    return { ...row, violations: [violation], recoveriesMs: [] };
  }
}

/** A trial that could not be held is no proof of anything, and no reason to drop the others. */
function brokenOff({ absence, store }: Trial, seed: number, error: unknown): Finding {
  const what = error instanceof Error ? error.message : String(error);
  const violation = { check: 'the trial can be held', what, seed, history: [] };
  return {
    fault: absence.name,
    store,
    runs: 1,
    violations: [violation],
    recoveriesMs: [],
    notes: [`${absence.name}: ${what}`],
  };
}

function noteOf({ absence, store, games }: Trial, { recoveryMs, restlessness, burnt }: Ending): string {
  const most = (values: readonly number[]): number => Math.max(...values);
  const lines = most(restlessness.map(({ linesPerSecond }) => linesPerSecond)).toFixed(2);
  const burst = most(restlessness.map(({ mostInASecond }) => mostInASecond));
  const cpu = (most(restlessness.map(({ cpuShare }) => cpuShare)) * 100).toFixed(1);
  return (
    `${absence.name}, ${store}: ${games} games done ${(recoveryMs / 1_000).toFixed(1)} s after the return; ` +
    `a worker wrote ${lines} lines a second (${burst} at most in one), worked ${cpu} % of a core; ${burnt} attempts failed`
  );
}
