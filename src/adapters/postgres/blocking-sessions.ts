import type { Client } from 'pg';

import { type Clock, pause } from '../../async/clock.js';

interface Watch {
  readonly clock: Clock;
  /** The server's process that may have to wait. */
  readonly pid: number;
  /** Asked once, so long after the start. */
  readonly afterMs: number;
  readonly openWatcher: () => Promise<Client>;
}

const UNKNOWN = 'PostgreSQL does not say which session holds it';

/** Which sessions another one waits for. They can be asked for only while it waits, and only by another connection. */
export function watchBlockers({ clock, pid, afterMs, openWatcher }: Watch): {
  /** One clause for messages; never rejects. */
  readonly seen: () => Promise<string>;
  readonly end: () => void;
} {
  const ended = new AbortController();

  async function look(): Promise<string> {
    await pause(clock, afterMs, ended.signal);
    if (ended.signal.aborted) return UNKNOWN;
    const watcher = await openWatcher();
    try {
      return await describeSessions(watcher, `SELECT unnest(pg_blocking_pids(${pid}))`);
    } finally {
      await watcher.end();
    }
  }

  const looked = look().catch(() => UNKNOWN);
  return { seen: () => looked, end: () => ended.abort() };
}

interface Session {
  readonly pid: number;
  readonly role: string | null;
  readonly application: string | null;
  readonly state: string | null;
}

/** Names no statement, because a statement may contain values that must not be logged. */
export async function describeSessions(client: Client, pids: string): Promise<string> {
  const { rows } = await client.query<Session>(
    `SELECT DISTINCT pid, usename AS role, application_name AS application, state FROM pg_stat_activity
     WHERE pid IN (${pids}) ORDER BY pid LIMIT 5`,
  );
  if (rows.length === 0) return UNKNOWN;
  const named = rows.map(({ pid, role, application, state }) => {
    const facts = [
      `role "${role ?? '?'}"`,
      ...(application ? [`application "${application}"`] : []),
      ...(state ? [state] : []),
    ];
    return `process ${pid} (${facts.join(', ')})`;
  });
  return `blocked by ${named.join(' and ')}`;
}
