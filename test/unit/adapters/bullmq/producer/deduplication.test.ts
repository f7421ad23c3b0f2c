import { assert, property, uint16Array } from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  deduplicationId,
  isFromSweep,
  isPersonal,
  storageProblem,
} from '../../../../../src/adapters/bullmq/producer/deduplication.js';
import { OP_SOURCES } from '../../../../../src/domain/operation.js';

describe('the deduplication id', () => {
  it.each(['game-1', 'a:b', '🎲'.repeat(256), 'x'.repeat(256), 'ünï  code'])(
    'the deduplication id of the game id %j is the id itself',
    (id) => {
      expect(deduplicationId(id)).toBe(id);
      expect(deduplicationId(` ${id}\n`)).toBe(id);
    },
  );

  it.each(['', '   ', 'tab\there', 'nul\0', '\uD800', 'x'.repeat(257)])(
    'the deduplication id of %j, which is not a game id, is a digest',
    (id) => {
      expect(deduplicationId(id)).toMatch(/^\p{Cc}invalid:[0-9a-f]{64}$/u);
    },
  );

  it('a deduplication id is never empty, and is always text that both stores can index', () => {
    assert(
      property(uint16Array({ maxLength: 600 }), (units) => {
        const gameId = String.fromCharCode(...units);
        const id = deduplicationId(gameId);
        expect(id.length).toBeGreaterThan(0);
        expect(Buffer.byteLength(id)).toBeLessThanOrEqual(1_024);
        expect(id.isWellFormed() && !id.includes('\0')).toBe(true);
      }),
      { numRuns: 40 },
    );
  });
});

describe('a request', () => {
  it('a request of an administrator or an operator is personal', () => {
    expect(OP_SOURCES.filter(isPersonal)).toEqual(['admin_rest', 'operator_cli']);
  });

  it.each([
    [{ opSource: 'auto_ttl' }, true],
    [{ opSource: 'gm_rest' }, false],
    [{}, false],
    [null, false],
    ['auto_ttl', false],
  ])('data stored as %j comes from the sweep: %s', (data, expected) => {
    expect(isFromSweep(data)).toBe(expected);
  });

  const good = { gameId: 'game-1', opSource: 'gm_rest', sourceRef: 'r', expectedContainerId: 'c' };

  it('a request whose texts can be stored has no problem, valid or not', () => {
    expect(storageProblem(good)).toBeUndefined();
    expect(storageProblem({ gameId: '', opSource: 'nobody' })).toBeUndefined();
  });

  it.each(['gameId', 'opSource', 'sourceRef', 'expectedContainerId'] as const)(
    'the problem names %s when that text cannot be stored',
    (field) => {
      expect(storageProblem({ ...good, [field]: 'a\0b' })).toContain(field);
      expect(storageProblem({ ...good, [field]: 'a\uDFFF' })).toContain(field);
    },
  );
});
