import { randomUUID } from 'node:crypto';
import { type Clock, pause } from '../../../async/clock.js';
import { withUnavailable } from '../failure.js';
import { SessionClient } from './session-client.js';
import { sessionOptions } from './session-options.js';

/** A notification takes milliseconds; a pooler that lends sessions for a transaction each delivers none. */
const WAIT_MS = 3_000;

/** Whether a connection to this address hears what another one notifies, as the queue needs it. Asked of a pooler only. */
export function canListen(connectionString: string, clock: Clock): Promise<boolean> {
  const open = (): SessionClient => new SessionClient(sessionOptions(connectionString, 'runtime-cleanup'));
  const [listener, notifier] = [open(), open()];
  const channel = `runtime_cleanup_${randomUUID().replaceAll('-', '')}`;
  return withUnavailable(async () => {
    const done = new AbortController();
    try {
      await Promise.all([listener.connect(), notifier.connect()]);
      const heard = new Promise<boolean>((resolve) => listener.once('notification', () => resolve(true)));
      await listener.query(`LISTEN ${channel}`);
      await notifier.query('SELECT pg_catalog.pg_notify($1, $2)', [channel, '']);
      return await Promise.race([heard, pause(clock, WAIT_MS, done.signal).then(() => false)]);
    } finally {
      done.abort();
      // Otherwise the session, which others use next, would go on listening.
      await listener.query(`UNLISTEN ${channel}`).catch(() => undefined);
      await Promise.all([listener.end(), notifier.end()]);
    }
  });
}
