import { expect, test } from 'vitest';
import { drawToken } from '../../../src/lease/with-lease.js';
import { WeakTokenError } from '../../../src/domain/errors.js';

test('a token of 128 random bits, 22 characters, is strong enough', () => {
  const token = 'abcdefghijklmnopqrstuv';
  expect(drawToken(() => token)).toBe(token);
});

test.each([
  ['one character short', 'abcdefghijklmnopqrstu'],
  ['a number', 123_456_789],
  ['bytes that are not encoded as text', Buffer.alloc(32)],
])('a token that is %s is refused, and the error states what is needed', (_what, token) => {
  const draw = (): string => drawToken(() => token as string);
  expect(draw).toThrow(WeakTokenError);
  expect(draw).toThrow(
    expect.objectContaining({
      name: 'WeakTokenError',
      message: 'the token source gave a token of fewer than 22 characters',
    }),
  );
});
