import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { startService, type Service } from '../../../scripts/services/child.mjs';
import { freePort } from '../../../scripts/services/free-port.mjs';
import { SetUpError } from '../../../scripts/set-up-error.mjs';
import { which } from '../../../scripts/which.mjs';

type PoolMode = 'session' | 'transaction' | 'statement';

export interface PgBouncer extends Pick<Service, 'stop'> {
  /** The same database and user as at the address of the server, through the pooler. */
  readonly urlOf: (url: string) => string;
}

interface Options {
  readonly serverUrl: string;
  readonly mode: PoolMode;
  /** Lines of its configuration besides those that it cannot run without. */
  readonly settings?: readonly string[];
}

/** PgBouncer refuses to run as root. */
const unprivileged = (): { readonly uid?: number; readonly gid?: number } => {
  if (process.getuid?.() !== 0) return {};
  const user = spawnSync('id', ['-u', 'postgres'], { stdio: 'ignore' }).status === 0 ? 'postgres' : 'nobody';
  const idOf = (flag: string): number => Number(execFileSync('id', [flag, user], { stdio: 'pipe' }).toString());
  return { uid: idOf('-u'), gid: idOf('-g') };
};

const answers = async (connectionString: string): Promise<boolean> => {
  const client = new Client({ connectionString });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end();
  }
};

/** So it behaves as poolers do that drop the startup parameters which they cannot keep for each client. */
export const IGNORING_PARAMETERS = [
  'ignore_startup_parameters = options,statement_timeout,lock_timeout,idle_in_transaction_session_timeout',
];

/** PgBouncer as it is without configuration, before all databases of one server, on a free port of 127.0.0.1. */
export const startPgBouncer = async ({ serverUrl, mode, settings = [] }: Options): Promise<PgBouncer> => {
  const command = which('pgbouncer');
  if (command === null) {
    throw new SetUpError('pgbouncer is not installed', { remedy: 'sudo apt-get install -y pgbouncer' });
  }
  const folder = mkdtempSync(join(tmpdir(), 'runtime-cleanup-pgbouncer-'));
  const identity = unprivileged();
  const { hostname, port: serverPort, username } = new URL(serverUrl);
  const port = await freePort();
  const users = join(folder, 'users.txt');
  writeFileSync(users, `"${username}" ""\n`);
  writeFileSync(
    join(folder, 'pgbouncer.ini'),
    [
      '[databases]',
      `* = host=${hostname} port=${serverPort}`,
      '[pgbouncer]',
      'listen_addr = 127.0.0.1',
      `listen_port = ${port}`,
      'unix_socket_dir =',
      'auth_type = trust',
      `auth_file = ${users}`,
      `pool_mode = ${mode}`,
      'default_pool_size = 60',
      ...settings,
      '',
    ].join('\n'),
  );
  chmodSync(folder, 0o700);
  for (const path of [folder, users, join(folder, 'pgbouncer.ini')]) {
    if (identity.uid !== undefined && identity.gid !== undefined) chownSync(path, identity.uid, identity.gid);
  }
  const urlOf = (text: string): string => {
    const url = new URL(text);
    url.host = `127.0.0.1:${port}`;
    return url.href;
  };
  const service = await startService({
    name: 'pgbouncer',
    command,
    args: [join(folder, 'pgbouncer.ini')],
    folder,
    isReady: () => answers(urlOf(serverUrl)),
    stopSignal: 'SIGTERM',
    identity,
  });
  return {
    urlOf,
    stop: async () => {
      await service.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
