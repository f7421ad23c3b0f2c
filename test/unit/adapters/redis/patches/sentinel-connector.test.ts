import * as ioredis from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from 'vitest';
import { patchedSentinelConnector } from '../../../../../src/adapters/redis/patches/sentinel-connector.js';
import { LibraryChangedError } from '../../../../../src/domain/errors.js';

/** The private members that the patch uses, and those that this test needs. */
interface Connector {
  readonly connectToSentinel: (endpoint: unknown, options: unknown) => ioredis.Redis;
  readonly connect: (emitError: () => void) => Promise<unknown>;
  readonly disconnect: () => void;
  failoverDetector: { readonly cleanup: () => void } | null;
}

const OPTIONS = { sentinels: [{ host: '127.0.0.1', port: 1 }], name: 'master' };

const original = (): Connector => new ioredis.SentinelConnector(OPTIONS) as unknown as Connector;
const patched = (): Connector => {
  const Patched = patchedSentinelConnector(ioredis);
  return new Patched(OPTIONS) as unknown as Connector;
};

describe('the patch of the connector for sentinels', () => {
  let printed: MockInstance<typeof console.error>;
  beforeEach(() => {
    printed = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  });
  afterEach(() => vi.restoreAllMocks());

  /** Reports an error as a sentinel that is down does. */
  function failAt(connector: Connector): void {
    const client = connector.connectToSentinel(OPTIONS.sentinels[0], { lazyConnect: true });
    client.silentEmit('error', new Error('connect ECONNREFUSED'));
    client.disconnect();
  }

  it('ioredis without the patch prints the error of a sentinel that is down', () => {
    failAt(original());
    expect(printed).toHaveBeenCalledOnce();
  });

  it('a patched connector prints nothing', () => {
    failAt(patched());
    expect(printed).not.toHaveBeenCalled();
  });

  /** Whether the listener of the last connection is still there while the connector connects. */
  async function listensWhileConnecting(connector: Connector): Promise<boolean> {
    let listens = true;
    connector.failoverDetector = {
      cleanup: () => {
        listens = false;
      },
    };
    const connecting = connector.connect(() => undefined);
    const seen = listens;
    connector.disconnect();
    await expect(connecting).rejects.toThrow('Connection is closed.');
    return seen;
  }

  it('ioredis without the patch listens for a failover while it connects, and one that is heard ends the client', async () => {
    expect(await listensWhileConnecting(original())).toBe(true);
  });

  it('a patched connector hears nothing while it connects', async () => {
    expect(await listensWhileConnecting(patched())).toBe(false);
  });

  it('the patch refuses a library whose connector has no connectToSentinel', () => {
    const Changed = patchedSentinelConnector({ SentinelConnector: Object } as unknown as typeof ioredis);
    expect(() => new Changed(OPTIONS)).toThrow(LibraryChangedError);
  });
});
