import { expect, it } from 'vitest';
import { recordToJson } from '../../../src/domain/result.js';
import { aRecord } from '../../support/records.js';

it('a record is written with JSON types only', () => {
  expect(recordToJson(aRecord({ removedAt: null }))).toMatchObject({
    stoppedAt: '2026-01-02T10:00:00.000Z',
    removedAt: null,
    leaseEpoch: '7',
  });
});

it('a time that PostgreSQL knows and JavaScript does not becomes the empty text', () => {
  const infinity = new Date(Number.NaN);
  const json = recordToJson(aRecord({ startedAt: infinity, createdAt: infinity }));
  expect(json).toMatchObject({ startedAt: '', createdAt: '' });
});
