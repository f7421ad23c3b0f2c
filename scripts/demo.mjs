import { runNodeInForeground } from './command.mjs';
import { ensureBuild } from './steps/build.mjs';
import { ensureEngine } from './steps/engine.mjs';
import { ensureNodeModules } from './steps/node-modules.mjs';
import { ensureRedis } from './steps/redis.mjs';

const REDIS_FLAG = '--redis';

/**
 * `npm run demo [-- --redis] [-- arguments of the demo]`: gets everything the demo needs, then runs it.
 * @param {readonly string[]} args
 * @param {ReturnType<import('./session.mjs').openSession>} session
 * @returns {Promise<number>} the demo's exit code
 */
export const runDemo = async (args, session) => {
  const wantsRedis = args.includes(REDIS_FLAG);
  await ensureNodeModules();
  await ensureBuild();
  const redis = await ensureRedis(wantsRedis);
  session.defer(redis.stop);
  const engine = await ensureEngine(['npm run demo', ...(wantsRedis ? ['--', REDIS_FLAG] : [])].join(' '));
  session.defer(engine.stop);
  const environment = { ...process.env, ...redis.environment, ...engine.environment };
  const demoArgs = args.filter((word) => word !== REDIS_FLAG);
  return session.runInForeground(() => runNodeInForeground(['dist/main.js', 'demo', ...demoArgs], environment));
};
