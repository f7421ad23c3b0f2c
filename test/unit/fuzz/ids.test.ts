/* oxlint-disable vitest/no-conditional-expect -- a property says what holds in each case */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deduplicationId, afterSweepId, storageProblem } from '../../../src/adapters/bullmq/producer/deduplication.js';
import { isStorableGameId } from '../../../src/adapters/prisma/record-row.js';
import { leaseKey } from '../../../src/adapters/redis/lease-store.js';
import { validate } from '../../../src/cleanup/validate.js';
import { GAME_ID_MAX_CHARACTERS, gameIdProblem, sourceRefProblem } from '../../../src/domain/operation.js';
import { isFullContainerId } from '../../../src/domain/runtime-record.js';
import { storable, visible } from '../../../src/domain/text.js';
import { readReason, writeReason } from '../../../src/jobs/failure-reason.js';
import { fuzz, UNHURRIED } from './fuzzing.js';
import { hostileText } from './hostile.js';
import { command, gameId } from './ids.js';

const PREFIX = 'rtmanager:game_lease:';
const isStorable = (text: string): boolean => text.isWellFormed() && !text.includes('\0');

describe('a text that is taken for a game id', () => {
  it('a game id has 1 to 256 characters, no control character and no space around it', UNHURRIED, () => {
    fc.assert(
      fc.property(fc.oneof(gameId, hostileText), (text) => {
        const checked = validate(command(text));
        const trimmed = text.trim();
        const length = Array.from(trimmed).length;
        const good =
          length >= 1 && length <= GAME_ID_MAX_CHARACTERS && trimmed.isWellFormed() && !/\p{Cc}/u.test(trimmed);
        expect(checked.valid).toBe(good);
        if (checked.valid) expect(checked.request.gameId).toBe(trimmed);
        else expect(isStorable(checked.problem)).toBe(true);
      }),
      fuzz(1_500),
    );
  });

  it('a game id is stored, shown and requested unchanged', UNHURRIED, () => {
    fc.assert(
      fc.property(gameId, (id) => {
        expect(gameIdProblem(id)).toBeUndefined();
        expect(storable(id)).toBe(id);
        expect(isStorableGameId(id)).toBe(true);
        expect(storageProblem({ gameId: id, opSource: 'gm_rest' })).toBeUndefined();
        expect(deduplicationId(` ${id}\n`)).toBe(id);
        expect(Buffer.from(leaseKey(id).slice(PREFIX.length), 'base64url').toString()).toBe(id);
        expect(leaseKey(id)).toMatch(/^rtmanager:game_lease:[\w-]+$/);
      }),
      fuzz(1_500),
    );
  });

  it('a game id shares no key with any other text, even one that looks like a key', UNHURRIED, () => {
    fc.assert(
      fc.property(gameId, hostileText.filter(isStorable), (id, text) => {
        const names = [id, text.trim(), deduplicationId(text), afterSweepId(text), deduplicationId(id), leaseKey(id)];
        const leaseKeys = new Set(names.map(leaseKey));
        expect(leaseKeys.size).toBe(new Set(names).size);
        const jobKeys = new Set(names.flatMap((name) => [deduplicationId(name), afterSweepId(name)]));
        expect(jobKeys.size).toBe(2 * new Set(names).size);
      }),
      fuzz(1_500),
    );
  });

  it('no other text becomes a game id when it is stored', UNHURRIED, () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        const isChanged = storable(text.trim()) !== text.trim();
        expect(isChanged && validate(command(text)).valid).toBe(false);
      }),
      fuzz(1_500),
    );
  });
});

describe('any other text', () => {
  it('a text is made storable within its length, and a second time unchanged', UNHURRIED, () => {
    fc.assert(
      fc.property(hostileText, fc.nat(600), (text, maxLength) => {
        const stored = storable(text, maxLength);
        expect(isStorable(stored)).toBe(true);
        expect(stored.length).toBeLessThanOrEqual(maxLength);
        expect(storable(stored, maxLength)).toBe(stored);
        if (isStorable(text) && text.length <= maxLength) expect(stored).toBe(text);
      }),
      fuzz(1_500),
    );
  });

  it('a text is shown without characters that hide or reorder it', UNHURRIED, () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        const shown = visible(text);
        expect(/[\p{Cc}\u202A-\u202E\u2066-\u2069]/u.test(shown)).toBe(false);
        expect(visible(shown) === shown).toBe(true);
      }),
      fuzz(1_500),
    );
  });

  it('a reference has at most 256 storable characters, or is refused', UNHURRIED, () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        const good = isStorable(text) && Array.from(text).length <= 256;
        expect(sourceRefProblem(text) === undefined).toBe(good);
        expect(validate({ ...command('game-1'), sourceRef: text }).valid).toBe(good);
      }),
      fuzz(1_000),
    );
  });

  it('a container id is accepted only as 64 hex digits', UNHURRIED, () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        const good = text.length === 64 && Array.from(text).every((digit) => '0123456789abcdef'.includes(digit));
        expect(isFullContainerId(text)).toBe(good);
        expect(validate({ ...command('game-1'), expectedContainerId: text }).valid).toBe(good);
      }),
      fuzz(1_000),
    );
  });

  it('a message is kept apart from the code of its reason', UNHURRIED, () => {
    fc.assert(
      fc.property(hostileText, (message) => {
        expect(readReason(writeReason({ code: 'conflict', message }))).toEqual({
          code: 'conflict',
          message: storable(message, 1_000),
        });
      }),
      fuzz(1_000),
    );
  });
});
