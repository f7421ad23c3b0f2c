import { Redis } from 'ioredis';
import { freePort } from '../../../scripts/services/free-port.mjs';
import { startRedisServer } from '../../../scripts/services/redis.mjs';
import { eventually } from '../eventually.js';
import { expectCopying } from './replication.js';

/** So long after a master's last sign of life the others replace it; a test's server has no need for 15 s. */
const NODE_TIMEOUT_MS = 750;
const SLOTS = 16_384;
const MASTERS = 3;

type Server = Awaited<ReturnType<typeof startRedisServer>>;

interface Node {
  readonly server: Server;
  readonly busPort: number;
  readonly client: Redis;
}

export interface TestCluster {
  /** In the grammar of `REDIS_URL`, with all nodes. */
  readonly url: string;
  /** `redis://` of the first master alone. */
  readonly nodeUrl: string;
  /** Kills the master of this key's slot, without warning. */
  readonly killMasterOf: (key: string) => Promise<void>;
  /** The master of this key's slot answers nothing more, as one that lost its network. */
  readonly freezeMasterOf: (key: string) => Promise<void>;
  /** Its replica becomes the master, in agreement with it; nothing is lost. */
  readonly switchMasterOf: (key: string) => Promise<void>;
  /** Sends a command to each node that runs. */
  readonly onEachNode: (command: string, ...args: readonly string[]) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Three masters on 127.0.0.1, each with so many replicas. Stop it in `afterAll`. */
export const startRedisCluster = async ({ replicas = 1 } = {}): Promise<TestCluster> => {
  const count = MASTERS * (1 + replicas);
  const nodes = await Promise.all(Array.from({ length: count }, startNode));
  const stop = async (): Promise<void> => {
    for (const { client } of nodes) client.disconnect();
    await Promise.all(nodes.map(({ server }) => server.stop()));
  };
  try {
    await join(nodes);
  } catch (error) {
    await stop();
    throw error;
  }
  const running = (): readonly Node[] => nodes.filter(({ server }) => server.isRunning());
  const masterOf = async (key: string): Promise<Node> => {
    const [asked] = running();
    const slot = await asked?.client.cluster('KEYSLOT', key);
    const map = (await asked?.client.cluster('SLOTS')) as SlotRange[] | undefined;
    const owner = map?.find(([from, to]) => from <= Number(slot) && Number(slot) <= to)?.[2];
    const node = running().find(({ server }) => server.port === owner?.[1]);
    if (node === undefined) throw new Error(`no running node has the slot of ${key}`);
    return node;
  };
  const [first] = nodes;
  return {
    url: `redis-cluster://${nodes.map(({ server }) => `127.0.0.1:${server.port}`).join(',')}`,
    nodeUrl: first?.server.url ?? '',
    killMasterOf: async (key) => (await masterOf(key)).server.stop(),
    freezeMasterOf: async (key) => void (await masterOf(key)).server.signal('SIGSTOP'),
    switchMasterOf: async (key) => {
      const master = await masterOf(key);
      const id = await master.client.cluster('MYID');
      const followed = await Promise.all(running().map(masterIdOf));
      const replica = running()[followed.indexOf(id)];
      if (replica === undefined) throw new Error(`the master of ${key} has no replica`);
      await replica.client.cluster('FAILOVER');
      await eventually(async () => {
        await expectCopying(master.client, replica.server.port);
        if ((await masterOf(key)) !== replica) throw new Error('the first node has not heard of the new master yet');
      });
    },
    onEachNode: async (command, ...args) => {
      await Promise.all(running().map(({ client }) => client.call(command, ...args)));
    },
    stop,
  };
};

type SlotRange = readonly [from: number, to: number, master: readonly [host: string, port: number, id: string]];

async function startNode(): Promise<Node> {
  const busPort = await freePort();
  const settings = {
    'cluster-enabled': 'yes',
    'cluster-port': busPort,
    'cluster-node-timeout': NODE_TIMEOUT_MS,
    // A replica stays with its master: a test knows then which one takes over.
    'cluster-migration-barrier': MASTERS,
    // Before it offers to take over, a replica waits for this and up to a second more.
    'cluster-replica-validity-factor': 0,
    'repl-diskless-sync-delay': 0,
  };
  const server = await startRedisServer({ settings });
  const client = new Redis({ port: server.port, maxRetriesPerRequest: null });
  client.on('error', () => undefined);
  return { server, busPort, client };
}

/** Gives the slots to the first three nodes, and a master to each of the others. */
async function join(nodes: readonly Node[]): Promise<void> {
  const masters = nodes.slice(0, MASTERS);
  const share = Math.ceil(SLOTS / MASTERS);
  for (const [index, { client }] of masters.entries()) {
    await client.call('CLUSTER', 'ADDSLOTSRANGE', index * share, Math.min((index + 1) * share, SLOTS) - 1);
    // Without it all have the same epoch, and sort that out one after the other.
    await client.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
  }
  const [first, ...others] = nodes;
  for (const { server, busPort } of others) {
    await first?.client.call('CLUSTER', 'MEET', '127.0.0.1', server.port, busPort);
  }
  const ids = await Promise.all(masters.map(({ client }) => client.cluster('MYID')));
  for (const [index, { client }] of nodes.slice(MASTERS).entries()) {
    const master = ids[index % MASTERS] ?? '';
    await eventually(() => client.cluster('REPLICATE', master));
  }
  await eventually(() => Promise.all(nodes.map((node) => isReady(node, nodes.length))), { withinMs: 30_000 });
}

async function isReady({ client }: Node, count: number): Promise<void> {
  const [cluster, replication] = await Promise.all([client.cluster('INFO'), client.info('replication')]);
  const facts = `${cluster}${replication}`;
  for (const wanted of ['cluster_state:ok', `cluster_slots_ok:${SLOTS}`, `cluster_known_nodes:${count}`]) {
    if (!facts.includes(wanted)) throw new Error(`a node of the cluster is not ready: ${facts}`);
  }
  if (facts.includes('master_link_status:down')) throw new Error('a replica has not copied its master yet');
}

/** The id of the master that this node copies; `-` for a master. */
async function masterIdOf({ client }: Node): Promise<string | undefined> {
  const map = String(await client.cluster('NODES'));
  return /myself\S* (\S+) /.exec(map)?.[1];
}
