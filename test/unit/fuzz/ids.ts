/** Random valid game ids. */
import * as fc from 'fast-check';
import type { CleanupCommand } from '../../../src/domain/operation.js';
import { GAME_ID_MAX_CHARACTERS } from '../../../src/domain/operation.js';
import { hostileText } from './hostile.js';

export const command = (gameId: string): CleanupCommand => ({
  gameId,
  opSource: 'admin_rest',
  sourceRef: '',
  expectedContainerId: null,
  jobId: '1',
  attempt: 1,
});

const withoutControls = (text: string): string =>
  text
    .toWellFormed()
    .replaceAll(/\p{Cc}/gu, '')
    .trim();
const shortened = (text: string): string => Array.from(text).slice(0, GAME_ID_MAX_CHARACTERS).join('').trim();

/** Trimmed. */
export const gameId: fc.Arbitrary<string> = fc
  .oneof(
    { weight: 6, arbitrary: hostileText },
    { weight: 2, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 300 }) },
    // Texts like the deduplication ids of invalid game ids.
    fc.stringMatching(/^invalid:[0-9a-f]{64}$/),
    fc.constantFrom('x', '\u{1F3B2}', 'é', '\u202E').map((unit) => unit.repeat(GAME_ID_MAX_CHARACTERS)),
  )
  .map((text) => shortened(withoutControls(text)))
  .filter((text) => text !== '');
