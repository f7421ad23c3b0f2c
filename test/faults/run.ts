/** `npm run faults`: breaks things around real workers on its own servers, prints the findings, and fails on any violation. */
import { writeFileSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { startPrivateEngine } from '../../scripts/services/engine.mjs';
import { startRedisServer } from '../../scripts/services/redis.mjs';
import { startRedisCluster } from '../support/redis/cluster.js';
import { startPostgres } from '../support/postgres/postgres.js';
import type { Experiment, Finding, Options, Servers } from './experiment.js';
import { crash, crashDefaults } from './experiments/crash.js';
import { engines } from './experiments/engines.js';
import { engineCalls } from './experiments/engine-calls.js';
import { histories } from './experiments/histories.js';
import { outages } from './experiments/outages.js';
import { pause } from './experiments/pause.js';
import { sabotage } from './sabotage/try-breaks.js';
import { markdownOf, storyOf, tableOf } from './table.js';

const EXPERIMENTS: readonly Experiment[] = [crash, crashDefaults, pause, engineCalls, engines, outages, histories];

interface Asked extends Omit<Options, 'say' | 'signal'> {
  readonly only: readonly Experiment[];
  readonly report?: string;
  readonly quiet: boolean;
  readonly sabotage: boolean;
  readonly redisCluster: boolean;
}

// More sites than this wait for each other on a small machine, and would measure that instead of the product's recovery.
const LANES = 6;
// Each lane has one of Redis's sixteen databases.
const MOST_LANES = 15;

const wholeNumber =
  (least: number, most = Number.MAX_SAFE_INTEGER) =>
  (text: string): number => {
    const value = Number(text);
    if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`a whole number from ${least} to ${most} is needed.`);
  };

const experimentsNamed = (text: string): readonly Experiment[] =>
  text.split(',').map((name) => {
    const found = EXPERIMENTS.find((one) => one.name === name.trim());
    if (found !== undefined) return found;
    throw new InvalidArgumentError(`there is ${EXPERIMENTS.map((one) => one.name).join(', ')}.`);
  });

const command = new Command('npm run faults --')
  .description('Breaks engine, stores and workers in the ways that are known from practice, and checks every promise.')
  .addOption(
    new Option('--only <names>', 'these experiments alone, separated by commas')
      .argParser(experimentsNamed)
      .default(EXPERIMENTS, 'all'),
  )
  .option('--runs <n>', 'how often each fault of a matrix is tried on each store', wholeNumber(1), 3)
  .option(
    '--histories <n>',
    'how many seeded histories are played; Ctrl-C ends with the table of those played so far',
    wholeNumber(0),
    100,
  )
  .option('--outage <seconds>', 'how long each server is unavailable', wholeNumber(1), 20)
  .option('--seed <n>', 'the first seed', wholeNumber(0, 2 ** 32 - 1), 1)
  .option('--lanes <n>', 'how many sites work at a time', wholeNumber(1, MOST_LANES), LANES)
  .option('--report <file>', 'also write the table to this file, as Markdown')
  .option('--sabotage', 'break the product itself in twelve ways, and fail unless each break is noticed', false)
  .option('--redis-cluster', 'queue and leases on a Redis Cluster instead of one server, with one lane', false)
  .option('--quiet', 'no progress', false)
  .addHelpText(
    'after',
    `\nExperiments:\n${EXPERIMENTS.map((one) => `  ${one.name.padEnd(14)} ${one.about}`).join('\n')}`,
  );

// As in the product's commands: 1 is a broken promise, 2 is wrong use.
command.exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));

const asked = command.parse().opts<Asked>();

const SABOTAGE: Experiment = {
  name: 'sabotage',
  about: 'the product broken on purpose; each break must be noticed by its check',
  run: sabotage,
};

const say = (line: string): void => void (asked.quiet || process.stderr.write(`${line}\n`));
const ending = new AbortController();
let underWay: Experiment | undefined;

async function main(): Promise<void> {
  const [postgres, engine, other, redis] = await Promise.all([
    startPostgres(),
    startPrivateEngine(),
    startPrivateEngine(),
    asked.redisCluster ? startRedisCluster({ replicas: 0 }) : startRedisServer(),
  ]);
  const servers: Servers = {
    postgresUrl: postgres.url,
    engineSocket: engine.socketPath,
    otherEngineSocket: other.socketPath,
    redisUrl: redis.url,
  };
  // A cluster has one database.
  const lanes = asked.redisCluster ? 1 : asked.lanes;
  const findings: Finding[] = [];
  try {
    for (const experiment of asked.sabotage ? [SABOTAGE] : asked.only) {
      if (ending.signal.aborted) break;
      underWay = experiment;
      say(`${experiment.name}: ${experiment.about}`);
      const found = await experiment.run(servers, { ...asked, lanes, say, signal: ending.signal });
      findings.push(...found);
      process.stdout.write(`\n${experiment.name}: ${experiment.about}\n${tableOf(found)}\n`);
      for (const { notes = [] } of found) for (const note of notes) process.stdout.write(`${note}\n`);
    }
  } finally {
    await Promise.all([postgres.stop(), engine.stop(), other.stop(), redis.stop()]);
  }
  conclude(findings);
}

function conclude(findings: readonly Finding[]): void {
  const violations = findings.flatMap((finding) => finding.violations);
  const runs = findings.reduce((sum, finding) => sum + finding.runs, 0);
  for (const violation of violations) process.stdout.write(`\n${storyOf(violation)}\n`);
  if (asked.report !== undefined) writeFileSync(asked.report, `${markdownOf(findings)}\n`);
  const early = ending.signal.aborted ? ', ended early' : '';
  process.stdout.write(`\n${runs} runs, ${violations.length} violations, seed ${asked.seed}${early}\n`);
  if (violations.length > 0) process.exitCode = 1;
}

// The workers end with this run: without these handlers a signal would not reach them. A long run reports its findings so far;
// a second signal ends it at once.
for (const [signal, exitCode] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.on(signal, () => {
    process.exitCode = exitCode;
    if (ending.signal.aborted || underWay?.endsEarly !== true) process.exit();
    ending.abort();
    say(`${signal}: finishing the runs under way; a second signal ends at once`);
  });
}
await main();
// Everything is stopped and printed; the timers of clients need not run out.
process.exit();
