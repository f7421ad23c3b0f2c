import type { Service } from './child.mjs';

export interface RedisServer extends Service {
  readonly url: string;
  readonly port: number;
}

export interface RedisServerOptions {
  readonly maxmemoryPolicy?: string;
  /** A free one is chosen when it is not given. */
  readonly port?: number;
  /** Where it writes down each change before it answers, and finds them at its next start; the caller's to remove. */
  readonly dataFolder?: string;
}

export declare const redisAnswers: (where: { host: string; port: number; timeoutMs?: number }) => Promise<boolean>;
export declare const startRedisServer: (options?: RedisServerOptions) => Promise<RedisServer>;
