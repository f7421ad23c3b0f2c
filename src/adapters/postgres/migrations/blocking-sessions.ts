import type { Client } from 'pg';

import { type Clock, pause } from '../../../async/clock.js';

interface Watch {
  readonly clock: Clock;
  /** The server's process that may have to wait. */
  readonly pid: number;
  readonly openWatcher: () => Promise<Client>;
}

/** A step that is faster opens no second connection. */
const LOOK_EVERY_MS = 100;

/** Which sessions another one waits for. They can be asked for only while it waits, and only by another connection. */
export function watchBlockers({ clock, pid, openWatcher }: Watch): {
  /** Ends the watch, and resolves to one clause for messages; undefined if no session was seen. Never rejects. */
  readonly end: () => Promise<string | undefined>;
} {
  const ended = new AbortController();

  async function look(): Promise<string | undefined> {
    await pause(clock, LOOK_EVERY_MS, ended.signal);
    if (ended.signal.aborted) return undefined;
    const watcher = await openWatcher();
    try {
      return await lookWith(watcher);
    } finally {
      await watcher.end();
    }
  }

  async function lookWith(watcher: Client): Promise<string | undefined> {
    for (;;) {
      const seen = await describeSessions(watcher, `SELECT unnest(pg_blocking_pids(${pid}))`);
      if (seen !== undefined || ended.signal.aborted) return seen;
      await pause(clock, LOOK_EVERY_MS, ended.signal);
    }
  }

  const looked = look().catch(() => undefined);
  return {
    end: () => {
      ended.abort();
      return looked;
    },
  };
}

interface Session {
  readonly pid: number;
  readonly role: string | null;
  readonly application: string | null;
  readonly state: string | null;
}

/** Names no statement, because a statement may contain values that must not be logged. */
export async function describeSessions(client: Client, pids: string): Promise<string | undefined> {
  const { rows } = await client.query<Session>(
    `SELECT DISTINCT pid, usename AS role, application_name AS application, state FROM pg_stat_activity
     WHERE pid IN (${pids}) ORDER BY pid LIMIT 5`,
  );
  if (rows.length === 0) return undefined;
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
