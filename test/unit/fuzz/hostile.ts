/** Values that no client should send, mixed with usual ones. */
import * as fc from 'fast-check';
import { FAILURE_CODES } from '../../../src/domain/error-codes.js';
import { OP_SOURCES } from '../../../src/domain/operation.js';

const FULL_ID = '0123456789abcdef'.repeat(4);

const SPECIAL = [
  '\0\u0001\u0007\b\t\n\v\f\r\u001B\u007F\u0085\u009B',
  '\u00A0\u1680\u2003\u2028\u2029\u202F\u205F\u3000\uFEFF\u200B\u200D\u180E',
  '\u202A\u202E\u2066\u2069\u061C\u200E\uFFFD\uFFFF\u0301\u{1F3B2}\u{10FFFF}',
  '\'"`\\/%?#&:;@ .,-_+=<>{}[]()$*|~^!',
].flatMap((text) => Array.from(text));

/** At least one of each kind of character that some system treats specially. */
const character = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  fc.constantFrom(...SPECIAL, '\uD800', '\uDFFF'),
);

const wellKnown = fc.constantFrom(
  '',
  ' ',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'null',
  'undefined',
  'NaN',
  '..',
  '.',
  '%00',
  '%2e%2e',
  '$(reboot)',
  "'; DROP TABLE runtime_records; --",
  '<script>alert(1)</script>',
  '${jndi:ldap://x}',
  '%s%n',
  '{rtmanager}',
  'game-1',
  FULL_ID,
  FULL_ID.slice(0, 12),
  FULL_ID.toUpperCase(),
  `${FULL_ID}?force=1`,
);

/** Texts around the lengths that are limits. */
const long = fc
  .tuple(character, fc.constantFrom(63, 64, 65, 255, 256, 257, 512, 513, 1_001, 4_001))
  .map(([unit, length]) => unit.repeat(length));

export const hostileText: fc.Arbitrary<string> = fc.oneof(
  { weight: 12, arbitrary: fc.string({ unit: character, maxLength: 24 }) },
  { weight: 8, arbitrary: wellKnown },
  { weight: 4, arbitrary: fc.string({ unit: 'grapheme' }) },
  { weight: 4, arbitrary: long },
  { weight: 1, arbitrary: fc.constantFrom('x'.repeat(70_000), '\u0001'.repeat(70_000)) },
);

/** Numbers at and beyond every limit. */
const hostileNumber: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(
    0,
    -0,
    -1,
    1.5,
    2 ** 31 - 1,
    2 ** 31,
    2 ** 53 - 1,
    2 ** 53,
    -(2 ** 53),
    8.64e15,
    8.64e15 + 1,
    1e308,
    5e-324,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ),
  fc.double(),
  fc.integer(),
);

/** Sets what fast-check prints for a value that is too large to be printed. */
const shownAs = <T extends object>(value: T, words: string): T =>
  Object.defineProperty(value, fc.toStringMethod, { value: () => words });

const nested = (levels: number, list: boolean): object => {
  const wrap = (inner: unknown): object => (list ? [inner] : { a: inner });
  let value = wrap(1);
  for (let level = 1; level < levels; level++) value = wrap(value);
  return shownAs(value, `${list ? 'a list' : 'an object'} of ${levels} levels`);
};

const deep = fc
  .tuple(fc.constantFrom(10, 10, 10, 1_000, 12_000), fc.boolean())
  .map(([levels, list]) => nested(levels, list));

/** An object with a field whose name has a meaning in JavaScript. */
const polluted = fc
  .tuple(
    fc.constantFrom('__proto__', 'constructor', 'prototype', 'toString', 'toJSON', 'valueOf', 'then'),
    fc.jsonValue(),
  )
  .map(([name, value]) => JSON.parse(`{${JSON.stringify(name)}:${JSON.stringify(value)}}`) as unknown);

/** Any JSON value, and texts that JSON cannot carry unchanged. */
export const anyJson: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 6, arbitrary: fc.jsonValue() },
  { weight: 5, arbitrary: hostileText },
  { weight: 3, arbitrary: hostileNumber.filter(Number.isFinite) },
  { weight: 3, arbitrary: polluted },
  { weight: 1, arbitrary: deep },
);

const throwing = fc.constantFrom('gameId', 'opSource', 'extra', 'counts', 'attempts').map((name) =>
  Object.defineProperty(shownAs({}, `an object whose ${name} throws`), name, {
    enumerable: true,
    get: () => {
      throw new TypeError('a getter that throws');
    },
  }),
);

const circular = fc.constant(null).map(() => {
  const self: Record<string, unknown> = { gameId: 'g', opSource: 'gm_rest' };
  self['self'] = self;
  return self;
});

export const anything: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: anyJson },
  {
    weight: 2,
    arbitrary: fc.anything({
      withBigInt: true,
      withBoxedValues: true,
      withDate: true,
      withMap: true,
      withNullPrototype: true,
      withObjectString: true,
      withSet: true,
      withSparseArray: true,
      withTypedArray: true,
    }),
  },
  throwing,
  circular,
  fc.constantFrom(undefined, Symbol('s'), () => 'f', new Proxy({}, {}), Object.create(null)),
);

/** An object that is nearly valid: each field is valid, invalid or missing, and sometimes there is an extra field. */
export const nearly = (
  fields: Readonly<Record<string, fc.Arbitrary<unknown>>>,
  wrong: fc.Arbitrary<unknown> = anyJson,
): fc.Arbitrary<unknown> => {
  const entries = Object.entries(fields).map(([name, right]) =>
    fc
      .oneof(
        { weight: 40, arbitrary: right },
        { weight: 1, arbitrary: wrong },
        { weight: 1, arbitrary: fc.constant(LEFT_OUT) },
      )
      .map((value) => [name, value] as const),
  );
  const more = fc.oneof(
    { weight: 5, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(fc.tuple(hostileText, wrong), { maxLength: 2 }) },
  );
  return fc
    .tuple(fc.tuple(...entries), more)
    .map(([own, others]) => Object.fromEntries([...own, ...others].filter(([, value]) => value !== LEFT_OUT)));
};

const LEFT_OUT = Symbol('left out');

/** The data of a job, valid or nearly valid. */
export const nearlyPayload = (wrong: fc.Arbitrary<unknown> = anyJson): fc.Arbitrary<unknown> =>
  nearly(
    {
      gameId: fc.oneof(fc.constant('game-1'), hostileText),
      opSource: fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...OP_SOURCES) }, hostileText),
      sourceRef: hostileText,
      expectedContainerId: fc.oneof(fc.constant(FULL_ID), hostileText),
    },
    wrong,
  );

const YEAR_0 = new Date('0000-01-01T00:00:00Z');
const YEAR_9999 = new Date('9999-12-31T23:59:59Z');
const instantText = fc.oneof(
  {
    weight: 30,
    arbitrary: fc.date({ noInvalidDate: true, min: YEAR_0, max: YEAR_9999 }).map((at) => at.toISOString()),
  },
  fc.constantFrom('0000-01-01T00:00:00Z', '9999-12-31T23:59:60Z', '2026-02-29T00:00:00Z', '2026-01-01', 'now'),
  hostileText,
);
const count = fc.oneof(
  { weight: 20, arbitrary: fc.nat(30) },
  { weight: 8, arbitrary: fc.constant(Number.MAX_SAFE_INTEGER) },
  hostileNumber,
);
const attempt = nearly({
  attempt: count,
  code: fc.oneof({ weight: 30, arbitrary: fc.constantFrom(...FAILURE_CODES) }, hostileText),
  message: hostileText,
  at: instantText,
  traceId: hostileText,
});
const death = { reason: hostileText, at: instantText, crashes: count };

/** The stored progress of a job, valid or nearly valid. */
export const nearlyHistory: fc.Arbitrary<unknown> = nearly({
  counts: fc.dictionary(fc.oneof({ weight: 40, arbitrary: fc.constantFrom(...FAILURE_CODES) }, hostileText), count, {
    maxKeys: 3,
  }),
  firstFailedAt: fc.option(instantText),
  attempts: fc.array(attempt, { maxLength: 4 }),
  death: fc.option(nearly(death)),
  pastLives: fc.array(nearly({ ...death, attempts: fc.array(attempt, { maxLength: 2 }) }), { maxLength: 3 }),
});
