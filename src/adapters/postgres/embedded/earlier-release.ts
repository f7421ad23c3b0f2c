import path from 'node:path';

import { ConfigurationError } from '../../../domain/errors.js';
import type { Binaries } from './binaries.js';
import type { Cluster } from './cluster.js';
import { join, type JoinAnswer } from './membership.js';
import { requestShutdown } from './postmaster.js';
import { readServerFile } from './server-files.js';
import type { ServerUser } from './server-user.js';

interface EarlierServer {
  readonly cluster: Cluster;
  readonly binaries: Binaries;
  readonly user: ServerUser | undefined;
  readonly log: (message: string) => void;
}

/**
 * Stops a server that a killed process of an earlier release has left: it listens on a port of this machine and asks for a
 * password that lies beside its data. Throws `ConfigurationError` while other processes of that release use it.
 */
export async function stopEarlierServer(
  { cluster, binaries, user, log }: EarlierServer,
  port: number,
): Promise<JoinAnswer> {
  const password = await readServerFile(path.join(cluster.pgData, 'runtime-cleanup.password'), user);
  const answer = await join(cluster, { host: '127.0.0.1', port, password: password?.trim() });
  if (answer.status !== 'joined') return answer;
  const { membership } = answer;
  try {
    if (!(await membership.leave())) {
      throw new ConfigurationError(
        `processes of an earlier release use the embedded PostgreSQL of ${cluster.pgData}; stop them, then start this one`,
      );
    }
    log('a server that an earlier release has left is stopped, to be started on a Unix socket');
    await requestShutdown(binaries, cluster.pgData, user);
    return { status: 'not_ready', why: 'the server of an earlier release is stopping' };
  } finally {
    await membership.close();
  }
}
