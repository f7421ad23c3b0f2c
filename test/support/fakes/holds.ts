import { InvalidArgumentError } from '../../../src/domain/errors.js';
import { pageOf, requireLimit } from '../../../src/domain/pages.js';
import { storable } from '../../../src/domain/text.js';
import type { HoldEnd, Holds } from '../../../src/retention/holds.js';
import { byGameId, isStorable, requireGameIdCursor } from './record-queries.js';
import type { PlatformState } from './state.js';

export function createFakeHolds({ holds, clock }: PlatformState): Holds {
  return {
    put: async ({ gameId, reason, heldBy, end }) => {
      if (!isStorable(gameId)) throw new InvalidArgumentError('the game id is no storable text');
      const replaced = holds.get(gameId) ?? null;
      const hold = { gameId, reason: storable(reason), heldBy: storable(heldBy), heldUntil: untilOf(end, clock.now()) };
      holds.set(gameId, hold);
      return { hold, replaced };
    },
    remove: async (gameId) => {
      const hold = holds.get(gameId);
      holds.delete(gameId);
      return hold;
    },
    list: async ({ after, limit }) => {
      requireLimit(limit);
      requireGameIdCursor(after);
      const found = [...holds.values()]
        .filter((hold) => after === undefined || byGameId(hold, { gameId: after }) > 0)
        .sort(byGameId);
      return pageOf(found.slice(0, limit + 1), limit, ({ gameId }) => gameId);
    },
  };
}

function untilOf(end: HoldEnd, now: Date): Date | null {
  if (end === null) return null;
  return 'forMs' in end ? new Date(now.getTime() + end.forMs) : end.until;
}
