import { describe, expect, it } from 'vitest';
import { rightsFinding } from '../../../../src/app/doctor/rights-check.js';

const none: readonly string[] = [];
const advice = 'run deploy/roles.sql (docs/operations.md, "Roles")';

describe('what doctor says of the rights of the database role', () => {
  it('a role with all rights is fine', () => {
    expect(rightsFinding({ role: 'w', missing: { worker: none, api: none, reader: none } })).toEqual({
      status: 'ok',
      detail: 'the role "w" has the rights of a worker, an API, "verify"',
    });
  });

  it('the role of an API is fine, and what a worker needs besides is named', () => {
    expect(rightsFinding({ role: 'a', missing: { worker: ['INSERT on engines'], api: none, reader: none } })).toEqual({
      status: 'ok',
      detail: 'the role "a" has the rights of an API, "verify"; a worker also needs INSERT on engines',
    });
  });

  it('a role that may only read is a warning, and a long list is cut', () => {
    const worker = Array.from({ length: 10 }, (_, number) => `UPDATE on table_${number}`);
    expect(rightsFinding({ role: 'r', missing: { worker, api: worker, reader: none } })).toEqual({
      status: 'warn',
      detail: `the role "r" has the rights of "verify"; a worker also needs ${worker.slice(0, 8).join(', ')} and 2 more`,
      advice,
    });
  });

  it('a role that may not even read fails', () => {
    const missing = ['SELECT on runtime_records'];
    expect(rightsFinding({ role: 'x', missing: { worker: missing, api: missing, reader: missing } })).toEqual({
      status: 'failed',
      detail: 'the role "x" lacks SELECT on runtime_records',
      advice,
    });
  });
});
