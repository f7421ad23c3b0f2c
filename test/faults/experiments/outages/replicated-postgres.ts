/** A PostgreSQL server that may get a standby, and an address that leads to the one that is the primary. */
import { Client } from 'pg';
import { startTcpFaultProxy } from '../../../support/network/tcp-fault-proxy.js';
import { type PostgresServer, startPostgres } from '../../../support/postgres/postgres.js';
import { promote } from '../../../support/postgres/standby.js';

/** `kill`, `restart`, `freeze` and `thaw` are those of the primary. */
export interface ReplicatedPostgres extends Pick<PostgresServer, 'url' | 'kill' | 'freeze' | 'thaw' | 'stop'> {
  readonly restart: () => Promise<void>;
  /** Of the primary itself; of the demoted one until `promote` is called. */
  readonly port: () => number;
  /** Starts a standby, for which the primary's commits wait from then on. */
  readonly addStandby: () => Promise<void>;
  /** Kills the primary and starts it again as a standby: it answers, and can only be read. */
  readonly demote: () => Promise<void>;
  /** Makes the standby the primary; the address leads to it. */
  readonly promote: () => Promise<void>;
}

const portOf = (url: string): number => Number(new URL(url).port);

export async function startReplicatedPostgres(): Promise<ReplicatedPostgres> {
  let primary = await startPostgres({ outlivesKill: true });
  let standby: PostgresServer | undefined;
  const address = await startTcpFaultProxy({ port: portOf(primary.url) });
  const theStandby = (): PostgresServer => {
    if (standby === undefined) throw new Error('there is no standby');
    return standby;
  };
  return {
    url: address.urlFor(primary.url),
    port: () => portOf(primary.url),
    kill: () => primary.kill(),
    restart: () => primary.restart(),
    freeze: () => primary.freeze(),
    thaw: () => primary.thaw(),
    addStandby: async () => {
      await standby?.stop();
      standby = await startPostgres({ outlivesKill: true, standbyOf: primary.url });
      await waitForStandbyAtCommit(primary.url);
    },
    demote: async () => {
      await primary.kill();
      await primary.restart({ standbyOf: theStandby().url });
    },
    promote: async () => {
      const promoted = theStandby();
      await promote(promoted.url);
      standby = primary;
      primary = promoted;
      address.redirect(portOf(primary.url));
      address.resetConnections();
    },
    stop: async () => {
      await Promise.all([primary.stop(), standby?.stop(), address.close()]);
    },
  };
}

/** The standby was copied before, so this setting does not follow it when it is promoted. */
async function waitForStandbyAtCommit(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`ALTER SYSTEM SET synchronous_standby_names = '*'`);
    await client.query('SELECT pg_reload_conf()');
  } finally {
    await client.end();
  }
}
