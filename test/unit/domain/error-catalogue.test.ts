import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import * as errors from '../../../src/domain/errors.js';
import { FAILURE_CODES, SUCCESS_CODES } from '../../../src/domain/error-codes.js';

const codesIn = (file: string): string[] =>
  [...readFileSync(file, 'utf8').matchAll(/^\| (?:`([a-z_]+)`|\*\((empty)\)\*) \|/gm)].map(([, code]) => code ?? '');

it.each(['docs/error-catalogue.md', 'README.md'])('%s lists each error code once, and no other', (file) => {
  expect(codesIn(file).toSorted()).toEqual([...SUCCESS_CODES, ...FAILURE_CODES].toSorted());
});

it('the table of error classes lists each class of the catalogue once, with its code', () => {
  const rows = [...readFileSync('docs/error-catalogue.md', 'utf8').matchAll(/^\| \*(\w+)\* \| ([a-z_ ]+) \|/gm)];
  const listed = rows.map(([, name, code]) => [name, code]);
  const made: Readonly<Record<string, Error>> = {
    UnavailableError: new errors.UnavailableError('docker', ''),
    EngineRefusalError: new errors.EngineRefusalError(''),
    MissingRightError: new errors.MissingRightError('docker', ''),
    TimeoutError: new errors.TimeoutError('', 1),
    ConfigError: new errors.ConfigError([]),
    UsageError: new errors.UsageError([]),
    RequestRefusedError: new errors.RequestRefusedError('conflict', 409, ''),
    LeaseLostError: new errors.LeaseLostError('', ''),
    StopRequestedError: new errors.StopRequestedError('SIGINT'),
    InterruptedError: new errors.InterruptedError('shutdown'),
    StatementRefusedError: new errors.StatementRefusedError('', ''),
    LibraryChangedError: new errors.LibraryChangedError('', ''),
  };
  const classes = Object.entries(errors).filter(([name]) => name.endsWith('Error'));
  const codeOf = (name: string, type: unknown): unknown => {
    if (name === 'RequestRefusedError') return 'its own';
    const error = made[name] ?? new (type as new (message: unknown) => Error)('');
    return 'code' in error ? error.code : undefined;
  };
  expect(listed).toHaveLength(classes.length);
  expect(Object.fromEntries(listed)).toEqual(
    Object.fromEntries(classes.map(([name, type]) => [name, codeOf(name, type)])),
  );
});
