import { runNodeInForeground } from './command.mjs';
import { ensureBuild } from './steps/build.mjs';
import { ensureEngine } from './steps/engine.mjs';
import { ensureNodeModules } from './steps/node-modules.mjs';
import { ensureRedis } from './steps/redis.mjs';

const REDIS_FLAG = '--redis';

/**
 * A task that needs a container engine and, with `--redis`, a Redis: gets everything, then runs the program.
 * @param {{ readonly name: string, readonly program: readonly string[] }} task
 */
const onAnEngine =
  ({ name, program }) =>
  /**
   * @param {readonly string[]} args
   * @param {ReturnType<import('./session.mjs').openSession>} session
   * @returns {Promise<number>} the program's exit code
   */
  async (args, session) => {
    const wantsRedis = args.includes(REDIS_FLAG);
    await ensureNodeModules();
    await ensureBuild();
    const redis = await ensureRedis(wantsRedis);
    session.defer(redis.stop);
    const engine = await ensureEngine([`npm run ${name}`, ...(wantsRedis ? ['--', REDIS_FLAG] : [])].join(' '));
    session.defer(engine.stop);
    const environment = { ...process.env, ...redis.environment, ...engine.environment };
    const programArgs = args.filter((word) => word !== REDIS_FLAG);
    return session.runInForeground(() => runNodeInForeground([...program, ...programArgs], environment));
  };

/** `npm run demo [-- --redis] [-- arguments of the demo]` */
export const runDemo = onAnEngine({ name: 'demo', program: ['--import', 'tsx', 'demo/main.ts'] });

const MEASUREMENTS = ['removals', 'retention', 'dead-letters'];

/**
 * `npm run bench [-- removals|retention|dead-letters] [-- --redis] [-- arguments of the measurement]`
 * @type {ReturnType<typeof onAnEngine>}
 */
export const runBench = (args, session) => {
  const [first = ''] = args;
  const [measurement, rest] = MEASUREMENTS.includes(first) ? [first, args.slice(1)] : [MEASUREMENTS[0], args];
  const program = ['--import', 'tsx', `bench/${measurement}.ts`];
  return onAnEngine({ name: 'bench', program })(rest, session);
};
