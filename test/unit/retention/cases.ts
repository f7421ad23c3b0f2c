import type { RetentionRecord } from '../../../src/retention/ports.js';
import { CONTAINER_ID } from '../../support/records.js';

export const DAY_MS = 86_400_000;
export const RETENTION_MS = 30 * DAY_MS;
/** The current time in these tests. */
export const NOW = new Date('2026-06-15T12:00:00.000Z');
export const fromNow = (ms: number): Date => new Date(NOW.getTime() + ms);

/** A stopped record as retention sees it at `NOW`; by default it has just become due. */
export function stopped(
  over: Partial<Pick<RetentionRecord, 'gameId' | 'status' | 'hold'>> & { readonly forMs?: number } = {},
): RetentionRecord {
  const { forMs = RETENTION_MS, gameId = 'game-1', ...rest } = over;
  const since = Number.isFinite(forMs) ? fromNow(-forMs) : null;
  return {
    gameId,
    status: 'stopped',
    containerId: CONTAINER_ID,
    since,
    stoppedForMs: forMs,
    hold: null,
    position: { since: since?.toISOString() ?? (forMs > 0 ? '-infinity' : 'infinity'), gameId },
    ...rest,
  };
}
