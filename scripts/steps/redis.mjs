import { redisAnswers, startRedisServer } from '../services/redis.mjs';
import { step } from '../say.mjs';
import { SetUpError } from '../set-up-error.mjs';
import { ensurePrograms } from './packages.mjs';

const NAME = 'Redis';

const useGiven = (given) =>
  step(NAME, async () => {
    if (!URL.canParse(given)) throw new SetUpError(`${NAME}: REDIS_URL is not a URL such as redis://127.0.0.1:6379`);
    const { protocol, hostname, host, port } = new URL(given);
    // The URL may hold a password, so only the host is said.
    if (protocol !== 'redis:') return { said: `${protocol}//${host} of REDIS_URL, not asked yet` };
    const address = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 6379) };
    if (await redisAnswers(address)) return { said: `answers at ${host} of REDIS_URL` };
    throw new SetUpError(`${NAME}: ${host} of REDIS_URL does not answer. Start it, or go without Redis.`, {
      remedy: 'unset REDIS_URL',
    });
  });

/**
 * Checks the Redis of REDIS_URL, or starts one of this run's own when it is wanted and none is given.
 * @param {boolean} wanted
 * @returns {Promise<{ environment: Record<string, string>, stop: () => Promise<void> }>}
 */
export const ensureRedis = async (wanted) => {
  const given = process.env.REDIS_URL;
  if (given) await useGiven(given);
  if (given || !wanted) return { environment: {}, stop: async () => undefined };
  await ensurePrograms('Redis programs', ['redis-server']);
  const server = await step('private Redis', async () => {
    const value = await startRedisServer();
    return { said: `started on ${value.url}`, value };
  });
  return {
    environment: { REDIS_URL: server.url },
    stop: () =>
      step('private Redis', async () => {
        await server.stop();
        return { said: 'stopped' };
      }),
  };
};
