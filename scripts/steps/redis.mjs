import { redisAnswers, startRedisServer } from '../services/redis.mjs';
import { runStep } from '../output.mjs';
import { SetUpError } from '../set-up-error.mjs';
import { ensurePrograms } from './packages.mjs';

const NAME = 'Redis';

const useGiven = (given) =>
  runStep(NAME, async () => {
    if (!URL.canParse(given)) throw new SetUpError(`${NAME}: REDIS_URL is not a URL such as redis://127.0.0.1:6379`);
    const { protocol, hostname, host, port } = new URL(given);
    // The URL may contain a password, so only the host is shown.
    if (protocol !== 'redis:') return { summary: `${protocol}//${host} of REDIS_URL, not checked` };
    const address = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 6379) };
    if (await redisAnswers(address)) return { summary: `answers at ${host} of REDIS_URL` };
    throw new SetUpError(`${NAME}: ${host} of REDIS_URL does not answer. Start it, or run without Redis.`, {
      remedy: 'unset REDIS_URL',
    });
  });

/**
 * Checks the Redis of REDIS_URL, or starts a private one when it is wanted and REDIS_URL is not set.
 * @param {boolean} wanted
 * @returns {Promise<{ environment: Record<string, string>, stop: () => Promise<void> }>}
 */
export const ensureRedis = async (wanted) => {
  const given = process.env.REDIS_URL;
  if (given) await useGiven(given);
  if (given || !wanted) return { environment: {}, stop: async () => undefined };
  await ensurePrograms('Redis programs', ['redis-server']);
  const server = await runStep('private Redis', async () => {
    const value = await startRedisServer();
    return { summary: `started on ${value.url}`, value };
  });
  return {
    environment: { REDIS_URL: server.url },
    stop: () =>
      runStep('private Redis', async () => {
        await server.stop();
        return { summary: 'stopped' };
      }),
  };
};
