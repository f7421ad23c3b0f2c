/** Every token under which a game's lease was ever asked for, as the lease store itself saw them. */
import { Redis } from 'ioredis';
import type { Servers, Store } from '../experiment.js';
import type { Site } from './site.js';

export interface TokenLedger {
  /** In order; the other services' tokens among them. */
  readonly tokens: (site: Site, gameId: string) => Promise<readonly string[]>;
  readonly close: () => void;
}

/** On PostgreSQL the database's own account knows those that were granted; Redis is listened to. */
export async function watchTokens({ redisUrl }: Servers, store: Store): Promise<TokenLedger> {
  return store === 'redis' ? listenToRedis(redisUrl) : { tokens: granted, close: () => undefined };
}

const granted = async ({ audit }: Site, gameId: string): Promise<readonly string[]> =>
  (await audit.notes(gameId)).flatMap(({ kind, was }) => (kind === 'lease' && was !== null ? [was] : []));

async function listenToRedis(redisUrl: string): Promise<TokenLedger> {
  const asked = new Map<string, string[]>();
  const client = new Redis(redisUrl);
  const monitor = await client.monitor();
  client.disconnect();
  monitor.on('error', () => undefined);
  monitor.on('monitor', (_time: string, [command = '', key = '', value = '']: readonly string[]) => {
    if (command.toLowerCase() !== 'set' || !key.startsWith('rtmanager:game_lease:')) return;
    asked.set(key, [...(asked.get(key) ?? []), value]);
  });
  return {
    tokens: async (_site, gameId) =>
      asked.get(`rtmanager:game_lease:${Buffer.from(gameId).toString('base64url')}`) ?? [],
    close: () => monitor.disconnect(),
  };
}
