import type { Service } from './child.mjs';

export interface RedisServer extends Service {
  readonly url: string;
  readonly port: number;
}

export interface RedisServerOptions {
  readonly maxmemoryPolicy?: string;
  /** A free one when it is not given. */
  readonly port?: number;
  /** Keeps the data here, written before each answer, so that the next start finds it. The caller removes the folder. */
  readonly dataFolder?: string;
  /** More lines of its `redis.conf`, such as those of a cluster's node; words separated by spaces. */
  readonly settings?: Readonly<Record<string, string | number>>;
}

export declare const redisAnswers: (where: { host: string; port: number; timeoutMs?: number }) => Promise<boolean>;
export declare const startRedisServer: (options?: RedisServerOptions) => Promise<RedisServer>;
