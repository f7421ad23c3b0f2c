import { startRedisServer, type RedisServerOptions } from '../../scripts/services/redis.mjs';

export interface TestRedis {
  readonly url: string;
  readonly port: number;
  readonly stop: () => Promise<void>;
  /** Ends it without warning; resolves when the process is gone. */
  readonly kill: () => Promise<void>;
  /** Accepts connections but answers nothing until `thaw`. */
  readonly freeze: () => void;
  readonly thaw: () => void;
  /** An empty server on the same port again. */
  readonly restart: () => Promise<void>;
}

/** A redis-server of the caller's own on 127.0.0.1; it keeps nothing when it ends. Stop it in `afterAll`. */
export const startRedis = async (options: RedisServerOptions = {}): Promise<TestRedis> => {
  let server = await startRedisServer(options);
  const { url, port } = server;
  return {
    url,
    port,
    stop: () => server.stop(),
    kill: () => server.stop(),
    freeze: () => void server.signal('SIGSTOP'),
    thaw: () => void server.signal('SIGCONT'),
    restart: async () => {
      await server.stop();
      server = await startRedisServer({ ...options, port });
    },
  };
};
