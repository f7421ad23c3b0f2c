import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { TABLE_RIGHTS } from '../../../src/adapters/postgres/rights.js';

it('deploy/roles.sql grants the rights that a start checks', () => {
  const text = readFileSync(new URL('../../../deploy/roles.sql', import.meta.url), 'utf8');
  const granted = [...text.matchAll(/^ +\('(\w+)', +'([A-Z, ]+)', +'([A-Z, ]+)'\)/gm)].map(
    ([, table = '', worker = '', api = '']) => [
      table,
      { worker: worker.split(', '), api: api.split(', '), reader: ['SELECT'] },
    ],
  );
  expect(Object.fromEntries(granted)).toEqual(TABLE_RIGHTS);
});
