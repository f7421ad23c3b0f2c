import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { FAILURE_CODES, SUCCESS_CODES } from '../../../src/domain/error-codes.js';

const codesIn = (file: string): string[] =>
  [...readFileSync(file, 'utf8').matchAll(/^\| (?:`([a-z_]+)`|\*\((empty)\)\*) \|/gm)].map(([, code]) => code ?? '');

it.each(['docs/error-catalogue.md', 'README.md'])('%s lists each error code once, and no other', (file) => {
  expect(codesIn(file).toSorted()).toEqual([...SUCCESS_CODES, ...FAILURE_CODES].toSorted());
});
