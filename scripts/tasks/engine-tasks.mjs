import { HELP, parseDemoArguments } from '../../demo/arguments.mjs';
import { runNodeInForeground } from '../command.mjs';
import { printLine } from '../output.mjs';
import { ensureBuild } from '../steps/build.mjs';
import { ensureEngine } from '../steps/engine.mjs';
import { ensureNodeModules } from '../steps/node-modules.mjs';
import { ensureRedis } from '../steps/redis.mjs';

const REDIS_FLAG = '--redis';

/**
 * Prepares a container engine and, when it is wanted, a Redis, then runs the program on them.
 * @param {{ name: string, program: readonly string[], withRedis: boolean }} task `name` is the npm script, `program` what node runs
 * @param {ReturnType<import('../session.mjs').openSession>} session
 * @returns {Promise<number>} the program's exit code
 */
const runOnEngine = async ({ name, program, withRedis }, session) => {
  await ensureNodeModules();
  await ensureBuild();
  const redis = await ensureRedis(withRedis);
  session.defer(redis.stop);
  const engine = await ensureEngine([`npm run ${name}`, ...(withRedis ? ['--', REDIS_FLAG] : [])].join(' '));
  session.defer(engine.stop);
  const environment = { ...process.env, ...redis.environment, ...engine.environment };
  return session.runInForeground(() => runNodeInForeground(program, environment));
};

/**
 * `npm run demo [-- arguments of the demo]`. Help and wrong arguments are answered before anything is installed or started.
 * @param {readonly string[]} args
 * @param {ReturnType<import('../session.mjs').openSession>} session
 * @returns {Promise<number>}
 */
export const runDemo = async (args, session) => {
  const parsed = parseDemoArguments(args);
  if ('problem' in parsed) {
    printLine(`demo: ${parsed.problem}\nAdd --help to see the options.`);
    return 2;
  }
  if (parsed.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const program = ['--import', 'tsx', 'demo/main.ts', ...args];
  return runOnEngine({ name: 'demo', program, withRedis: parsed.redis }, session);
};

const MEASUREMENTS = ['removals', 'retention', 'dead-letters', 'several-engines'];

/**
 * `npm run bench [-- removals|retention|dead-letters|several-engines] [-- --redis] [-- arguments of the measurement]`
 * @param {readonly string[]} args
 * @param {ReturnType<import('../session.mjs').openSession>} session
 * @returns {Promise<number>}
 */
export const runBench = async (args, session) => {
  const [first = ''] = args;
  const [measurement, rest] = MEASUREMENTS.includes(first) ? [first, args.slice(1)] : [MEASUREMENTS[0], args];
  const withRedis = rest.includes(REDIS_FLAG);
  const program = ['--import', 'tsx', `bench/${measurement}.ts`, ...rest.filter((word) => word !== REDIS_FLAG)];
  return runOnEngine({ name: 'bench', program, withRedis }, session);
};
