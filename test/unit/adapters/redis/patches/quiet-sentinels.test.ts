import * as ioredis from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from 'vitest';
import { quietSentinels } from '../../../../../src/adapters/redis/patches/quiet-sentinels.js';
import { LibraryChangedError } from '../../../../../src/domain/errors.js';

interface Connector {
  readonly connectToSentinel: (endpoint: unknown, options: unknown) => ioredis.Redis;
}

const OPTIONS = { sentinels: [{ host: '127.0.0.1', port: 1 }], name: 'master' };

describe('the clients with which ioredis listens for a failover', () => {
  let printed: MockInstance<typeof console.error>;
  beforeEach(() => {
    printed = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  });
  afterEach(() => vi.restoreAllMocks());

  /** Reports an error as a sentinel that is down does. */
  function failAt(connector: object): void {
    // The cast: the method is private.
    const client = (connector as Connector).connectToSentinel(OPTIONS.sentinels[0], { lazyConnect: true });
    client.silentEmit('error', new Error('connect ECONNREFUSED'));
    client.disconnect();
  }

  it('ioredis without the patch prints the error of a sentinel that is down', () => {
    failAt(new ioredis.SentinelConnector(OPTIONS));
    expect(printed).toHaveBeenCalledOnce();
  });

  it('a patched connector prints nothing', () => {
    const Connector = quietSentinels(ioredis);
    failAt(new Connector(OPTIONS));
    expect(printed).not.toHaveBeenCalled();
  });

  it('the patch refuses a library whose connector has no connectToSentinel', () => {
    const changed = { SentinelConnector: class {} } as unknown as typeof ioredis;
    expect(() => quietSentinels(changed)).toThrow(LibraryChangedError);
  });
});
