import { describe, expect, it } from 'vitest';
import { FAILURE_CODES } from '../../../src/domain/error-codes.js';
import { readReason, shownReason, writeReason } from '../../../src/jobs/failure-reason.js';

describe('a failed job’s reason', () => {
  it.each(FAILURE_CODES)('a reason with the code %s is read as it was written', (code) => {
    const reason = { code, message: 'the record names none: see above' };
    expect(writeReason(reason)).toBe(`${code}: the record names none: see above`);
    expect(readReason(writeReason(reason))).toEqual(reason);
    expect(shownReason(writeReason(reason))).toEqual(reason);
  });

  it('a reason may have an empty message', () => {
    expect(readReason('conflict: ')).toEqual({ code: 'conflict', message: '' });
  });

  it('a written reason can be stored in every store, with a message of at most a thousand characters', () => {
    expect(writeReason({ code: 'conflict', message: `\0${'x'.repeat(5_000)}` })).toBe(`conflict: ${'x'.repeat(1_000)}`);
  });

  it.each([
    ['an empty text', ''],
    ['only a message', 'job stalled more than allowable limit'],
    ['only a code', 'conflict'],
    ['a code with one character behind it', 'conflict!'],
    ['a code without the space', 'conflict:busy'],
    ['only a code and a colon', 'conflict:'],
    ['a code in capitals', 'CONFLICT: busy'],
    ['a code after another word', 'Error: conflict: busy'],
    ['the code of a success', 'replay_no_op: done'],
    ['an unknown code', 'Error: busy'],
    ['the name of a method of objects', 'toString: busy'],
    ['no code', ': busy'],
  ])('a reason that is %s has no code and is shown as an internal error', (_what, text) => {
    expect(readReason(text)).toBeUndefined();
    expect(shownReason(text)).toEqual({ code: 'internal_error', message: text });
  });
});
